// What all pages share: the numbers of the page, and how they are written. Without script the page shows all but what is moved by hand.
"use strict";
const ecgspasm = (() => {
  const data = JSON.parse(document.getElementById("ecgspasm-data").textContent);

  // Whole microvolts with the signs of print; halves as Python rounds them, to even.
  function uv(value, signed = true) {
    if (value === null || value === undefined) return "–";
    let whole = Math.round(value);
    if (Math.abs(value % 1) === 0.5 && whole % 2 !== 0) whole -= 1;
    whole += 0;
    const digits = String(Math.abs(whole));
    return whole < 0 ? "−" + digits : signed && whole > 0 ? "+" + digits : digits;
  }

  function clock(seconds) {
    const whole = Math.round(Math.abs(seconds));
    const two = (number) => String(number).padStart(2, "0");
    return `${seconds < 0 && whole ? "−" : ""}${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }

  // Elements are made, never parsed: a text stays a text.
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  for (const element of document.querySelectorAll(".with-script")) element.hidden = false;

  const strips = document.querySelector("[data-strips]");
  if (strips) {
    const button = strips.querySelector("button");
    const shown = document.getElementById("strips");
    button.addEventListener("click", () => {
      shown.hidden = !shown.hidden;
      button.setAttribute("aria-expanded", String(!shown.hidden));
      button.textContent = shown.hidden ? "Show the strips" : "Hide the strips";
    });
  }
  return { data, uv, clock, make };
})();
