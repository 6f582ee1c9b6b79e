"""What is asked of every page, in the browser's own words."""

from __future__ import annotations

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SHEET = {"width": 1030, "height": 700}
"""What of a sheet of A4 across lies inside the margins, in CSS pixels."""

ENOUGH_FOR_TEXT = 4.5  # WCAG 2.2, 1.4.3
ENOUGH_FOR_GRAPHICS = 3.0  # WCAG 2.2, 1.4.11

# Colours come out of computed styles in many notations; a canvas turns all into bytes.
COLOURS = """
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function bytes(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}
function over(top, below) {
  const share = top[3] / 255;
  return [0, 1, 2].map((i) => top[i] * share + below[i] * (1 - share));
}
function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => v / 255).map(
    (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
function behind(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) {
    layers.push(bytes(getComputedStyle(e).backgroundColor));
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
}
"""

TEXTS = f"""() => {{
{COLOURS}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (walker.nextNode()) {{
  const text = walker.currentNode.textContent.trim();
  const element = walker.currentNode.parentElement;
  if (!text || !element.checkVisibility()) continue;
  const back = behind(element);
  const style = getComputedStyle(element);
  const front = over(bytes(element.closest("svg") ? style.fill : style.color), back);
  found.push([contrast(front, back), text.slice(0, 40)]);
}}
return found;
}}"""

STROKES = f"""() => {{
{COLOURS}
const page = behind(document.body);
const style = getComputedStyle(document.documentElement);
return [...document.styleSheets[0].cssRules[0].style]
  .filter((name) => name.startsWith("--series-"))
  .map((name) => [contrast(bytes(style.getPropertyValue(name)), page), name]);
}}"""
