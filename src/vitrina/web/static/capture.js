// Capture: a small copy is checked at once, the original goes up as it is; a broken line loses nothing.

const form = document.querySelector(".shoot");
if (form) {
  const input = form.querySelector("input[type=file]"), figure = form.querySelector("figure");
  const advice = form.querySelector(".advice"), button = form.querySelector("button.main");
  const say = (text, verdict = "") => { advice.textContent = text; advice.className = `advice ${verdict}`; };
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
      small = await shrunk(file, 1024);
      figure.querySelector("img").src = URL.createObjectURL(small);
      figure.hidden = false;
    } catch { figure.hidden = true; return say(""); }   // a kind that this browser does not show, such as HEIC
    say(form.dataset.looking);
    const body = new FormData();
    body.append("photo", small, "preview.jpg");
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body, headers: { "X-Form-Token": form.dataset.token, Accept: "application/json" } });
      if (mine !== turn) return;
      const told = await answer.json();
      if (!answer.ok) return say(told.detail, "reject");
      const rank = { block: 0, warn: 1 };
      const worst = told.findings.filter((f) => f.severity in rank).sort((a, b) => rank[a.severity] - rank[b.severity])[0];
      say(worst ? worst.message : form.dataset.good, told.verdict);
    } catch { if (mine === turn) say(""); }
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form);
    button.disabled = true;
    for (let attempt = 0; attempt < 4; attempt++) {
      try {
        say(form.dataset.sending);
        const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
        const told = await answer.json();
        if (!answer.ok) { say(told.detail, "reject"); button.disabled = false; return; }
        say(form.dataset.kept, "pass");
        location.reload();
        return;
      } catch { await new Promise((done) => setTimeout(done, 1500 * 2 ** attempt)); }
    }
    say(form.dataset.again, "review");
    button.disabled = false;
  });
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
