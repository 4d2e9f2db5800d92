// Small conveniences; every page works without them.

document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

const living = [...document.querySelectorAll("[data-refresh]")];
for (const [place, part] of living.entries()) {
  const every = Number(part.dataset.refresh);
  if (!every) continue;
  const anew = async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("[data-refresh]")[place];
      if (!fresh) return location.reload();
      part.replaceChildren(...fresh.childNodes);
      if (!Number(fresh.dataset.refresh)) clearInterval(timer);
    } catch { /* the line is down; the next time will tell */ }
  };
  let timer = 0;
  const look = () => { timer ||= setInterval(anew, every); };
  if (!part.dataset.progress || !window.EventSource) { look(); continue; }
  const line = new EventSource(part.dataset.progress);
  line.addEventListener("progress", anew);
  line.addEventListener("done", () => { line.close(); anew(); });
  line.addEventListener("error", () => { if (line.readyState === EventSource.CLOSED) look(); });
  document.addEventListener("visibilitychange", anew);
  addEventListener("pagehide", () => line.close());
}

for (const drop of document.querySelectorAll(".drop")) {
  const input = drop.querySelector("input"), name = drop.querySelector("[data-name]"), shown = drop.querySelector("img");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  input.addEventListener("change", () => {
    const files = [...input.files];
    name.textContent = files.length > 3 ? `${files.length} × ${files[0].name} …` : files.map((f) => f.name).join(", ");
    if (shown && files[0]) {
      shown.src = URL.createObjectURL(files[0]);
      shown.hidden = false;
      shown.onerror = () => { shown.hidden = true; };
    }
  });
}

for (const button of document.querySelectorAll("button[data-busy]")) {
  button.form.addEventListener("submit", () => {
    button.textContent = button.dataset.busy;
    setTimeout(() => { button.disabled = true; });
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
