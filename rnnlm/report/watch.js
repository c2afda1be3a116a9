"use strict";
// Asks for the page again and again, and changes of it what has changed: so scroll, focus, selected text and parts
// that were opened stay as they are.
const pause = 2000; // milliseconds
const lost = document.createElement("p");
lost.setAttribute("role", "alert");
document.querySelector("main").before(lost);

function update(old, now) {
  if (old.isEqualNode(now)) return;
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== now.nodeName) return old.replaceWith(now);
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !now.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const olds = [...old.childNodes];
  const news = [...now.childNodes]; // these leave `now` as they are put into the page
  news.forEach((node, k) => (k < olds.length ? update(olds[k], node) : old.append(node)));
  olds.slice(news.length).forEach((node) => node.remove());
}

async function refresh() {
  const began = performance.now();
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      update(document.querySelector("main"), page.querySelector("main"));
      lost.textContent = "";
    } catch {
      lost.textContent = "This page is no longer kept current: rnnlm report does not answer. Is it still running?";
    }
  }
  // A page that takes long to make is asked for more rarely, for the training needs the processor.
  setTimeout(refresh, pause + 10 * (performance.now() - began));
}

setTimeout(refresh, pause);
