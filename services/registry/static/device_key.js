"use strict";
// Signs her yes with a key of this browser that no script can read out. Where that cannot be done the form goes as it is, with her secret.
const form = document.getElementById("yes");

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store() {
  const opening = indexedDB.open("assent", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  return done(opening);
}

// Saying yes again after an outage must use the key that signed before.
async function keyOf(grant) {
  const database = await store();
  const held = await done(database.transaction("keys").objectStore("keys").get(grant));
  if (held) return held;
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  await done(database.transaction("keys", "readwrite").objectStore("keys").put(made, grant));
  return made;
}

function base64(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)));
}

async function sign() {
  const key = await keyOf(form.dataset.grant);
  const text = new TextEncoder().encode(`assent yes v1\n${form.dataset.grant}\n${form.elements.notice_sha256.value}`);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, text);
  form.elements.device_key.value = base64(await crypto.subtle.exportKey("spki", key.publicKey));
  form.elements.device_signature.value = base64(signature);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.querySelector("button").disabled = true;
  try {
    await sign();
  } catch {
    form.elements.device_key.value = form.elements.device_signature.value = "";
  }
  form.submit();
});
