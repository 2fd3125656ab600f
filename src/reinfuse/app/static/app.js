// Conveniences: every page works without them.
"use strict";

/** Files of what was dropped, those within folders too; the name of the first folder with them. */
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return { files: [...transfer.files], folder: "" };
  const files = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      files.push(await new Promise((give, fail) => entry.file(give, fail)));
      return;
    }
    const reader = entry.createReader();
    for (let part = []; (part = await new Promise((give, fail) => reader.readEntries(give, fail))).length; ) {
      for (const inner of part) await walk(inner);
    }
  };
  for (const entry of entries) await walk(entry);
  const folder = entries.find((entry) => entry.isDirectory);
  return { files, folder: folder ? folder.name : "" };
}

function acceptDrops(form) {
  const stop = (event) => { event.preventDefault(); };
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, stop);  // a miss must not leave the page
  form.addEventListener("dragover", () => form.classList.add("over"));
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", async (event) => {
    form.classList.remove("over");
    const { files, folder } = await droppedFiles(event.dataTransfer);
    const kept = files.filter((file) => !file.name.startsWith("."));
    const chosen = new DataTransfer();
    for (const file of kept) chosen.items.add(file);
    const [one, several] = form.querySelectorAll("input[type=file]");
    one.value = "";
    several.files = chosen.files;
    form.elements.folder.value = folder;
    form.requestSubmit();
  });
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      if (!input.files.length) return;
      const path = input.files[0].webkitRelativePath;
      form.elements.folder.value = path ? path.split("/")[0] : "";
      form.requestSubmit();
    });
  }
}

/** Replaces an element every second by what its address answers, until that asks for no more. */
function poll(element) {
  setTimeout(async () => {
    let text;
    try {
      const answer = await fetch(element.dataset.poll);
      text = answer.ok ? await answer.text() : null;
    } catch { text = null; }
    if (text === null) { poll(element); return; }
    if (!element.isConnected) return;
    if (text.includes("data-reload")) { location.reload(); return; }
    put(element, text);
  }, 1000);
}

/** Asks again while sliders move, and puts the answer in place. */
function askLive(form) {
  let waiting;
  const ask = async () => {
    const answer = await fetch(`${form.dataset.live}?${new URLSearchParams(new FormData(form))}`);
    if (answer.ok) put(document.getElementById("outcomes"), await answer.text());
  };
  form.addEventListener("input", (event) => {
    const shown = event.target.closest("label").querySelector("output");
    if (shown) shown.value = "power" in shown.dataset ? power(event.target.value) : event.target.value;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
}

function power(exponent) {
  const [mantissa, of] = (10 ** exponent).toExponential(1).split("e+");
  return `${Number(mantissa)} × 10${[...of].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`;
}

/** Shows what needs a script, and hides what stands in for one. */
function withScript(place) {
  for (const element of place.querySelectorAll("[data-script-only]")) element.hidden = false;
  for (const element of place.querySelectorAll("[data-without-script]")) element.hidden = true;
}

function put(element, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  if (!fresh || !element) return;
  element.replaceWith(fresh);
  withScript(fresh);
  if (fresh.dataset.poll) poll(fresh);
}

/** One step of a curve is reached with Tab, the others with the arrow keys; what one says is shown below. */
function walkSteps(group) {
  const steps = [...group.querySelectorAll("a")];
  const place = document.querySelector("[data-tell-here]");
  const reach = (step) => { for (const one of steps) one.setAttribute("tabindex", one === step ? 0 : -1); };
  reach(steps.find((step) => step.hasAttribute("aria-current")) || steps[0]);
  for (const kind of ["focusin", "pointerover"]) {
    group.addEventListener(kind, (event) => {
      const step = event.target.closest("a");
      if (step) place.textContent = step.getAttribute("aria-label");
      if (step && kind === "focusin") reach(step);
    });
  }
  group.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = by && steps[steps.indexOf(event.target.closest("a")) + by];
    if (by) event.preventDefault();
    if (next) next.focus();
  });
}

let working;

/** Says that the next page is being made, where that takes long: a large file is read. */
function tellWorking() {
  working = setTimeout(() => { document.querySelector("[data-working]").hidden = false; }, 400);
}

document.addEventListener("DOMContentLoaded", () => {
  withScript(document);
  for (const form of document.querySelectorAll("[data-drop]")) acceptDrops(form);
  for (const element of document.querySelectorAll("[data-poll]")) poll(element);
  for (const form of document.querySelectorAll("[data-live]")) askLive(form);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.closest("details").querySelector("code").textContent);
    button.textContent = button.dataset.copy;
  });
  for (const group of document.querySelectorAll("[data-steps]")) walkSteps(group);
  // A form is sent once, however often its button is pressed.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      tellWorking();
    });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const stays = !link || link.hash || link.target || link.search.includes("save=") || event.ctrlKey || event.metaKey;
    if (!stays && event.button === 0) tellWorking();
  });
  // What a select or a check box says is sent at once where its form asks for that.
  for (const control of document.querySelectorAll("[data-send]")) {
    control.addEventListener("change", () => control.form.requestSubmit());
  }
});
window.addEventListener("pageshow", (event) => {  // back from another page: forms can be sent again
  clearTimeout(working);
  document.querySelector("[data-working]").hidden = true;
  if (event.persisted) for (const form of document.querySelectorAll("form")) delete form.dataset.sent;
});
