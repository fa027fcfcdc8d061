"use strict";
// Counts, tiles and refusals fill while images run their course; without this script the page shows the same when it is loaded again.
const TILES = 36;
const REFUSALS = 12;
const tiles = document.getElementById("tiles");
const refusals = document.getElementById("refusals");

function text(parent, name, value) {
  const element = document.createElement(name);
  element.textContent = value;
  parent.append(element);
  return element;
}

function tile(decision) {
  const item = document.createElement("li");
  item.className = `tile ${decision.outcome === "embedded" ? "yes" : "no"}`;
  item.dataset.number = decision.number;
  if (decision.face_id) {
    const picture = document.createElement("img");
    picture.src = `/v1/faces/${decision.face_id}/picture`;
    picture.alt = tiles.dataset.alt;
    item.append(picture);
  } else {
    text(item, "span", decision.outcome === "embedded" ? tiles.dataset.notShown : tiles.dataset.notKept).className = "blank";
  }
  text(item, "strong", decision.outcome_text);
  if (decision.rules.length) {
    text(item, "code", decision.rules.join(" "));
    text(item, "span", decision.words[0]);
  }
  return item;
}

function row(decision) {
  const item = document.createElement("tr");
  item.dataset.number = decision.number;
  text(item, "td", refusals.dataset[decision.stage] || decision.stage);
  text(item, "td", decision.outcome_text);
  text(text(item, "td", ""), "code", decision.rules.join(" "));
  const why = text(item, "td", decision.words.join("; "));
  if (decision.details.length) {
    const details = text(why, "details", "");
    text(details, "summary", refusals.dataset.more);
    const lines = text(details, "ul", "");
    for (const [label, line] of decision.details) text(lines, "li", label + refusals.dataset.colon + line);
  }
  text(item, "td", decision.remedies.join(" "));
  const time = text(text(item, "td", ""), "time", decision.at_text);
  time.dateTime = decision.at;
  return item;
}

// The newest comes first, and what is shown already is not shown again.
function fill(list, decisions, made, limit) {
  const newest = Number(list.firstElementChild?.dataset.number || 0);
  for (const decision of [...decisions].reverse()) {
    if (decision.number > newest) {
      list.querySelector(".none")?.remove();
      list.prepend(made(decision));
    }
  }
  while (list.children.length > limit) list.lastElementChild.remove();
}

function show(flow) {
  for (const [gate, count] of Object.entries(flow.gates)) {
    const shown = document.querySelector(`[data-gate="${gate}"]`);
    if (shown) shown.textContent = count;
  }
  fill(tiles, flow.decisions, tile, TILES);
  fill(refusals, flow.decisions.filter((decision) => decision.outcome !== "embedded"), row, REFUSALS);
}

const stream = new EventSource(`/v1/flow/stream?lang=${document.documentElement.lang}`);
stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
