// Capture: a small copy is checked at once; the original is put by in the browser and goes up in pieces, so that neither
// a broken line nor a closed page loses it.

const PIECE = 1 << 20, CHECKED_PX = 1024;
const form = document.querySelector(".shoot");
let sending = false;

function storage() {
  return new Promise((done, fail) => {
    const asked = indexedDB.open("vitrina-capture", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("photos", { keyPath: "key", autoIncrement: true });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}

async function inStore(mode, act) {
  const base = await storage();
  try {
    return await new Promise((done, fail) => {
      const change = base.transaction("photos", mode), asked = act(change.objectStore("photos"));
      change.oncomplete = () => done(asked.result);
      change.onerror = change.onabort = () => fail(change.error);
    });
  } finally { base.close(); }
}

const putBy = (photo) => inStore("readwrite", (store) => store.put(photo));
const drop = (key) => inStore("readwrite", (store) => store.delete(key));
const waiting = () => inStore("readonly", (store) => store.getAll());

if (form) {
  const input = form.querySelector("input[type=file]"), figure = form.querySelector("figure");
  const advice = form.querySelector(".advice"), button = form.querySelector("button.main");
  const queue = document.querySelector("[data-queue]"), note = document.querySelector("[data-queue-note]"), bar = queue.querySelector("progress");
  const say = (text, verdict = "") => { advice.textContent = text; advice.className = `advice ${verdict}`; };
  const headers = { "X-Form-Token": form.dataset.token, Accept: "application/json" };
  let turn = 0;

  const right = form.querySelector("select[name=right]");
  const ask = () => form.querySelectorAll("[data-of]").forEach((line) => {
    line.hidden = !line.dataset.of.split(" ").includes(right.value);
    line.querySelector("input").required = !line.hidden;
  });
  right.addEventListener("change", ask);
  ask();

  input.addEventListener("change", async () => {
    const file = input.files[0], mine = ++turn;
    if (!file) return;
    let small = null;
    try {
      small = await shrunk(file, CHECKED_PX);
      figure.querySelector("img").src = URL.createObjectURL(small);
      figure.hidden = false;
    } catch { figure.hidden = true; return say(""); }   // a kind that this browser does not show, such as HEIC
    say(form.dataset.looking);
    const body = new FormData();
    body.append("photo", small, "preview.jpg");
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body, headers });
      if (mine !== turn) return;
      const told = await answer.json();
      if (!answer.ok) return say(told.detail, "reject");
      const rank = { block: 0, warn: 1 };
      const worst = told.findings.filter((f) => f.severity in rank).sort((a, b) => rank[a.severity] - rank[b.severity])[0];
      say(worst ? worst.message : form.dataset.good, told.verdict);
    } catch { if (mine === turn) say(""); }
  });

  form.addEventListener("submit", async (event) => {
    const file = input.files[0];
    if (!file || !window.indexedDB || form.dataset.plain !== undefined) return;   // the plain form sends it whole
    event.preventDefault();
    button.disabled = true;
    say(form.dataset.sending);
    try {
      await putBy({ sku: form.dataset.sku, uploads: form.dataset.uploads, name: file.name, blob: file, size: file.size, id: "", whose: ["right", "taken_by", "licence"].map((key) => [key, form.elements[key]?.value ?? ""]) });
    } catch { form.dataset.plain = ""; button.disabled = false; return form.requestSubmit(); }   // no room to put it by
    sendAll();
  });

  async function sendAll() {
    if (sending) return;
    sending = true;
    let refused = "", sent = 0;
    try {
      for (const photo of await waiting()) {
        if (photo.sku !== form.dataset.sku) continue;
        queue.hidden = false;
        note.textContent = `${form.dataset.sending} ${photo.name}`;
        try { await sendOne(photo); sent++; } catch (error) {
          if (!error.isFinal) throw error;
          refused = error.message;
        }
        await drop(photo.key);
      }
      queue.hidden = true;
      button.disabled = false;
      if (refused) say(refused, "reject");
      else if (sent) { say(form.dataset.kept, "pass"); location.reload(); }
    } catch {
      note.textContent = form.dataset.waits;
      say(form.dataset.again, "review");
      button.disabled = false;
      setTimeout(sendAll, 15_000);
    } finally { sending = false; }
  }

  /** Send what is lacking of a photo, wherever an earlier attempt stopped. */
  async function sendOne(photo) {
    let at = null;
    if (photo.id) {
      const asked = await call(`${photo.uploads}/${photo.id}`, {}, true);
      at = asked?.offset ?? null;
    }
    if (at === null) {
      const body = new FormData();
      body.append("name", photo.name);
      body.append("size", String(photo.size));
      for (const [key, value] of photo.whose ?? []) body.append(key, value);
      const begun = await call(photo.uploads, { method: "POST", body });
      [photo.id, at] = [begun.id, begun.offset];
      await putBy(photo);
    }
    while (at < photo.size) {
      bar.value = at / photo.size;
      const told = await call(`${photo.uploads}/${photo.id}?offset=${at}`, { method: "PATCH", body: photo.blob.slice(at, at + PIECE) });
      at = told.offset;
    }
    bar.value = 1;
  }

  async function call(to, how, mayBeGone = false) {
    const answer = await fetch(to, { ...how, headers });
    if (mayBeGone && answer.status === 404) return null;
    const told = await answer.json();
    if (answer.ok) return told;
    // A refusal of the photo itself is final; a sign-in that ran out, or a house that is starting, is not.
    throw Object.assign(new Error(told.detail), { isFinal: [400, 413, 415, 422].includes(answer.status) });
  }

  addEventListener("online", sendAll);
  if (window.indexedDB) waiting().then((photos) => { if (photos.some((p) => p.sku === form.dataset.sku)) sendAll(); }, () => {});
  form.dataset.ready = "";
}

async function shrunk(file, side) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
}
