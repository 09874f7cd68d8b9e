/*
 * Makes the rating page pleasant: sliders that stay unset until touched, keys, a draft kept on this device, one send only.
 * Everything here is a convenience; the page's form works without it.
 */

const DRAFT_PREFIX = "empanel:draft:";
const DRAFT_KEPT_MS = 2 * 24 * 60 * 60 * 1000;
const IDLE_AFTER_MS = 30 * 1000;

const ballot = document.getElementById("ballot");
const words = ballot.dataset;
const criteria = [...ballot.querySelectorAll(".criterion")];
const note = document.getElementById("ballot-note");
const sendButton = ballot.querySelector("[data-send]");
let isSending = false;

/* One answer: the same two questions for radios, sliders and numbers. */

function answerOf(criterion) {
  const slider = criterion.querySelector("input[type=range]");
  if (slider) return slider.dataset.touched ? slider.value : "";
  const number = criterion.querySelector("input[type=number]");
  if (number) return number.value;
  return criterion.querySelector("input:checked")?.value ?? "";
}

function setAnswer(criterion, value) {
  const slider = criterion.querySelector("input[type=range]");
  if (slider) {
    slider.value = value;
    touchSlider(slider);
    return;
  }
  const number = criterion.querySelector("input[type=number]");
  if (number) {
    number.value = value;
    return;
  }
  const radio = [...criterion.querySelectorAll("input[type=radio]")].find((input) => input.value === value);
  if (radio) radio.checked = true;
}

function focusTarget(criterion) {
  return criterion.querySelector("input:checked") ?? criterion.querySelector("input");
}

function unanswered() {
  return criteria.filter((criterion) => "required" in criterion.dataset && !answerOf(criterion));
}

/* Sliders: unset means no name, so nothing is sent; the number is never shown. */

function touchSlider(slider) {
  slider.dataset.touched = "yes";
  slider.name = slider.closest(".criterion").dataset.name;
  slider.removeAttribute("aria-valuetext");
  slider.closest(".slider").classList.remove("is-unset");
}

function buildSlider(criterion) {
  const { min, max, step, value } = criterion.dataset;
  const steps = criterion.querySelector(".slider-steps");
  const checked = value || steps.querySelector("input:checked")?.value || steps.querySelector("input[type=number]")?.value;
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = min;
  slider.max = max;
  slider.step = step;
  slider.value = (Number(min) + Number(max)) / 2;
  slider.setAttribute("aria-label", criterion.querySelector("legend").textContent.replace(/\s+/g, " ").trim());
  slider.setAttribute("aria-valuetext", words.wordsUnset);
  slider.title = words.wordsSlide;
  const holder = document.createElement("div");
  holder.className = "slider is-unset";
  holder.append(slider);
  const ends = steps.querySelector(".scale-ends");
  if (ends) holder.append(ends);
  steps.replaceWith(holder);
  if (checked) setAnswer(criterion, checked);
  for (const event of ["input", "click"]) slider.addEventListener(event, () => answered(criterion));
}

/* What an answer changes on the page. */

function answered(criterion) {
  const slider = criterion.querySelector("input[type=range]");
  if (slider) touchSlider(slider);
  markMissing(criterion, false);
  countAnswers();
  saveDraft();
}

function countAnswers() {
  const done = criteria.filter(answerOf).length;
  ballot.querySelector("[data-count]").textContent = words.wordsCounted
    .replace("%(done)s", done.toLocaleString(document.documentElement.lang))
    .replace("%(total)s", criteria.length.toLocaleString(document.documentElement.lang));
}

function markMissing(criterion, isMissing) {
  criterion.classList.toggle("is-missing", isMissing);
  const error = criterion.querySelector("[data-error]");
  error.hidden = !isMissing;
  error.textContent = isMissing ? words.wordsMissing : "";
  if (isMissing) criterion.setAttribute("aria-describedby", error.id);
  else criterion.removeAttribute("aria-describedby");
}

function say(text) {
  note.hidden = false;
  note.textContent = text;
}

/* The draft. Storage can be full or forbidden; rating goes on without it. */

function withStorage(action) {
  try {
    return action(window.localStorage);
  } catch (error) {
    if (error instanceof DOMException || error instanceof SyntaxError) return null;
    throw error;
  }
}

function saveDraft() {
  const answers = Object.fromEntries(
    criteria.map((criterion) => [criterion.dataset.name, answerOf(criterion)]).filter(([, value]) => value),
  );
  const draft = JSON.stringify({ savedAt: Date.now(), seconds: activeSeconds(), answers });
  withStorage((storage) => storage.setItem(DRAFT_PREFIX + words.nonce, draft));
}

function restoreDraft() {
  const draft = withStorage((storage) => JSON.parse(storage.getItem(DRAFT_PREFIX + words.nonce)));
  if (!draft) return;
  activeBefore = draft.seconds;
  const toRestore = criteria.filter((criterion) => !answerOf(criterion) && draft.answers[criterion.dataset.name]);
  for (const criterion of toRestore) setAnswer(criterion, draft.answers[criterion.dataset.name]);
  if (toRestore.length) say(words.wordsRestored);
}

function forgetOldDrafts() {
  withStorage((storage) => {
    for (const key of Object.keys(storage).filter((name) => name.startsWith(DRAFT_PREFIX))) {
      const { savedAt } = JSON.parse(storage.getItem(key));
      if (Date.now() - savedAt > DRAFT_KEPT_MS) storage.removeItem(key);
    }
  });
}

/* Active seconds: the page is visible and something was done in the last half minute. */

let activeBefore = 0;
let activeMs = 0;
let lastTick = performance.now();
let lastDeed = lastTick;

function tick() {
  const now = performance.now();
  if (document.visibilityState === "visible" && now - lastDeed < IDLE_AFTER_MS) activeMs += Math.min(now - lastTick, 2000);
  lastTick = now;
}

function activeSeconds() {
  tick();
  return Math.round((activeBefore + activeMs / 1000) * 10) / 10;
}

/* The seat is held on while somebody is at work on it; a page left alone lets it go. */

let heldAt = lastTick;

async function holdSeat() {
  if (lastDeed < heldAt || !navigator.onLine) return;
  const form = new FormData();
  for (const name of ["csrfmiddlewaretoken", "form_nonce"]) form.append(name, ballot.elements[name].value);
  try {
    await fetch(words.holdUrl, { method: "POST", body: form });
    heldAt = performance.now();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // no network just now: the next beat may get through
  }
}

/* Keys */

function currentCriterion() {
  return document.activeElement?.closest?.(".criterion") ?? unanswered()[0] ?? criteria[0];
}

function answerByDigit(criterion, digit) {
  const slider = criterion.querySelector("input[type=range]");
  if (slider) {
    const { min, max } = slider;
    setAnswer(criterion, String(Number(min) + ((Number(max) - Number(min)) * digit) / 10));
    return true;
  }
  const radios = [...criterion.querySelectorAll("input[type=radio]")];
  const isNumbered = radios.every((radio) => /^-?\d+$/.test(radio.value)) && radios.length > 2;
  const radio = isNumbered ? radios.find((input) => input.value === String(digit)) : radios[digit - 1];
  if (!radio) return false;
  radio.checked = true;
  return true;
}

function onKey(event) {
  lastDeed = performance.now();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const isTyping = event.target.matches?.("textarea, select, input[type=text], input[type=number]");
  const isInDialog = event.target.closest?.("dialog");
  if (isTyping || isInDialog) return;
  if (event.key === "?") {
    showKeys();
  } else if (/^[0-9]$/.test(event.key)) {
    const criterion = currentCriterion();
    if (!answerByDigit(criterion, Number(event.key))) return;
    answered(criterion);
    const next = criteria.slice(criteria.indexOf(criterion) + 1).find((other) => !answerOf(other));
    focusTarget(next ?? criterion).focus();
  } else if (event.key === "Enter" && (event.target === document.body || event.target.matches?.(".criterion input"))) {
    ballot.requestSubmit(sendButton);
  } else {
    return;
  }
  event.preventDefault();
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog.open) dialog.showModal();
}

/* Sending: complete, once, and only into a network that is there. */

function onSubmit(event) {
  const missing = unanswered();
  if (missing.length || isSending || !navigator.onLine) event.preventDefault();
  if (isSending) return;
  for (const criterion of criteria) markMissing(criterion, missing.includes(criterion));
  if (missing.length) {
    missing[0].scrollIntoView({ block: "center" });
    focusTarget(missing[0]).focus({ preventScroll: true });
    return;
  }
  saveDraft();
  if (!navigator.onLine) {
    say(words.wordsOffline);
    return;
  }
  ballot.elements.active_seconds.value = activeSeconds();
  isSending = true;
  sendButton.setAttribute("aria-disabled", "true");
  sendButton.dataset.label = sendButton.textContent;
  sendButton.textContent = words.wordsSending;
}

/* Back and forward can bring the page as it was left, in the middle of sending. */
function onPageShow(event) {
  if (!event.persisted || !isSending) return;
  isSending = false;
  sendButton.removeAttribute("aria-disabled");
  sendButton.textContent = sendButton.dataset.label;
}

for (const criterion of criteria.filter((each) => each.dataset.kind === "slider")) buildSlider(criterion);
forgetOldDrafts();
restoreDraft();
countAnswers();
ballot.noValidate = true;
ballot.addEventListener("submit", onSubmit);
ballot.addEventListener("change", (event) => {
  const criterion = event.target.closest(".criterion");
  if (criterion) answered(criterion);
});
document.addEventListener("keydown", onKey);
for (const event of ["pointerdown", "pointermove", "wheel", "touchmove", "scroll"]) {
  document.addEventListener(event, () => (lastDeed = performance.now()), { passive: true });
}
document.addEventListener("visibilitychange", tick);
window.addEventListener("pageshow", onPageShow);
window.setInterval(tick, 1000);
window.setInterval(holdSeat, Number(words.holdSeconds) * 1000);
const keysButton = ballot.querySelector("[data-show-keys]");
keysButton.hidden = false;
keysButton.addEventListener("click", showKeys);
