// The page for leadership keeps its code out of the way: one button at its end shows all of it. An arriving passport opens its own cell.
(function () {
  "use strict";
  var folds = document.querySelectorAll("details.code-fold, .cell > details:not(.gz-fold)"), main = document.querySelector("main");
  if (!main || !folds.length || !document.querySelector(".gz-headline")) return;
  var button = document.createElement("button"), line = document.createElement("p");
  button.type = "button";
  button.className = "gz-scheme gz-code";
  function word() {
    var open = document.body.classList.contains("gz-shown");
    button.textContent = open ? "Hide the code of this page" : "Show the code of this page";
    button.setAttribute("aria-expanded", String(open));
  }
  button.addEventListener("click", function () {
    var open = document.body.classList.toggle("gz-shown");
    folds.forEach(function (fold) { fold.open = open; });
    word();
  });
  word();
  line.className = "gz-download";
  line.appendChild(button);
  main.appendChild(line);
})();
