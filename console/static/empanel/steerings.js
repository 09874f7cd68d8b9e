/*
 * Makes the steerings of a generator pleasant to write: rows come and go without sending the form, and each row
 * says what its kind needs. Everything here is a convenience; the form works without it.
 */

const steerings = document.getElementById("steerings");
const NO_TEXT = ["plain", "unlike"];

function rows() {
  return [...steerings.querySelectorAll(".steering")];
}

function field(row, name) {
  return row.querySelector(`[name="steering-${name}"]`);
}

/* The hint of the row's kind stands under its text; a kind without a text has none. */
function showKind(row) {
  const kind = field(row, "kind").value;
  const text = field(row, "text");
  let hint = row.querySelector("[data-hint]");
  if (!hint) {
    hint = document.createElement("p");
    hint.className = "hint";
    hint.dataset.hint = "";
    row.querySelector(".steering-text").after(hint);
  }
  hint.id = `${text.id}-hint`;
  hint.textContent = steerings.querySelector(`[data-kind="${kind}"]`)?.textContent ?? "";
  text.setAttribute("aria-describedby", hint.id);
  row.querySelector(".steering-text").hidden = NO_TEXT.includes(kind) && !text.value;
}

/* Every id and every "take away" is that of the row's place. */
function renumber() {
  rows().forEach((row, number) => {
    for (const input of row.querySelectorAll("[name^='steering-']")) {
      input.id = `id_${input.name}-${number}`;
      input.closest(".field").querySelector("label").htmlFor = input.id;
    }
    row.querySelector("[name='drop']").value = number;
    showKind(row);
  });
}

function empty(row) {
  field(row, "label").value = "";
  field(row, "text").value = "";
  for (const error of row.querySelectorAll(".error")) error.remove();
}

function addRow() {
  const last = rows().at(-1);
  const added = last.cloneNode(true);
  empty(added);
  field(added, "kind").value = field(last, "kind").value;
  last.after(added);
  renumber();
  field(added, "kind").focus();
}

function dropRow(row) {
  if (rows().length > 1) row.remove();
  else empty(row);
  renumber();
  steerings.querySelector("[value='more']").focus();
}

if (steerings) {
  steerings.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.value === "more" && button.name === "action") addRow();
    else if (button?.name === "drop") dropRow(button.closest(".steering"));
    else return;
    event.preventDefault();
  });
  steerings.addEventListener("change", (event) => {
    if (event.target.name === "steering-kind") showKind(event.target.closest(".steering"));
  });
  renumber();
}
