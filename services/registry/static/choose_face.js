"use strict";
// A tap on a face chooses its button; without this script the buttons alone do the same.
for (const rect of document.querySelectorAll("#choose-face rect")) {
  rect.addEventListener("click", () => {
    document.getElementById(`face-${rect.dataset.face}`).click();
  });
}
document.getElementById("choose-face").addEventListener("change", (event) => {
  const chosen = event.target.id.replace("face-", "");
  for (const rect of document.querySelectorAll("#choose-face rect")) {
    rect.classList.toggle("chosen", rect.dataset.face === chosen);
  }
});
