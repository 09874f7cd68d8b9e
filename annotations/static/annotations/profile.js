// Notes that free text was pasted: evidence for a look, as a machine may have written it. Without JavaScript nothing is noted.
const noted = document.querySelector("input[name=pasted]");

document.addEventListener("paste", (event) => {
  if (noted && event.target instanceof HTMLTextAreaElement) noted.value = "1";
});
