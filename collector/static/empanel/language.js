/* Changes the language as soon as one is chosen; without this script the button beside the list does it. */
for (const form of document.querySelectorAll(".language-form")) {
  form.querySelector("[data-language-go]").hidden = true;
  form.querySelector("select").addEventListener("change", () => form.requestSubmit());
}
