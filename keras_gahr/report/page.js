"use strict";

// Without this script, a slider's pictures are a plain list below each other.
function startSlider(slider) {
  const frames = [...slider.querySelectorAll(".frames > li")];
  const input = slider.querySelector("input");
  const output = slider.querySelector("output");

  const show = () => {
    const chosen = Number(input.value);
    frames.forEach((frame, k) => { frame.hidden = k !== chosen; });
    const value = frames[chosen].dataset.value;
    output.textContent = value;
    input.setAttribute("aria-valuetext", value);
  };

  slider.querySelector(".control").hidden = frames.length < 2;
  slider.classList.add("active");
  input.addEventListener("input", show);
  show();
}

document.querySelectorAll("figure.slider").forEach(startSlider);
