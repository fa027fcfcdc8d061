"use strict";
// Counts and tiles fill while images run their course; without this script the page shows the same when it is loaded again.
const tiles = document.getElementById("tiles");

function text(parent, name, value) {
  const element = document.createElement(name);
  element.textContent = value;
  parent.append(element);
  return element;
}

function tile(decision) {
  const item = document.createElement("li");
  const isYes = decision.outcome === "embedded";
  item.className = `tile ${isYes ? "yes" : "no"}`;
  item.dataset.number = decision.number;
  if (isYes && decision.face_id && tiles.dataset.pictures === "yes") {
    const picture = document.createElement("img");
    picture.src = `/v1/faces/${decision.face_id}/picture`;
    picture.alt = tiles.dataset.alt;
    item.append(picture);
  } else {
    text(item, "span", tiles.dataset.notShown).className = "blank";
  }
  text(item, "strong", decision.outcome);
  if (decision.rules.length) {
    text(item, "code", decision.rules.join(" "));
    text(item, "span", decision.words[0]);
  }
  return item;
}

function show(flow) {
  for (const [gate, count] of Object.entries(flow.gates)) {
    const shown = document.querySelector(`[data-gate="${gate}"]`);
    if (shown) shown.textContent = count;
  }
  const newest = Number(tiles.firstElementChild?.dataset.number || 0);
  for (const decision of flow.decisions.toReversed()) {
    if (decision.number > newest) {
      tiles.querySelector(".none")?.remove();
      tiles.prepend(tile(decision));
    }
  }
  while (tiles.children.length > 36) tiles.lastElementChild.remove();
}

const stream = new EventSource(`/v1/flow/stream?lang=${document.documentElement.lang}`);
stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
