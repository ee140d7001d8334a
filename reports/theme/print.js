// Print: charts are drawn before paper asks for them, folded tables open, long sections begin a page.
(function () {
  "use strict";
  var LONG = 25; // rows of a table, beside three charts, that make a section worth a page of its own
  var opened = [];
  function open() {
    document.querySelectorAll("details.gz-fold:not([open])").forEach(function (fold) { fold.open = true; opened.push(fold); });
    if (document.querySelector(".gz-headline")) return; // the summary is to be short
    document.querySelectorAll("main h2").forEach(function (head, i) {
      var rows = 0, charts = 0, within = head.closest("section"), one = head.nextElementSibling;
      var parts = within ? [within] : [];
      while (!within && one && one.tagName !== "H2") { parts.push(one); one = one.nextElementSibling; }
      parts.forEach(function (part) { rows += part.querySelectorAll("tr").length; charts += part.querySelectorAll(".gz-chart").length; });
      if (i && (rows > LONG || charts > 2)) head.classList.add("gz-break");
    });
  }
  function close() {
    opened.forEach(function (fold) { fold.open = false; });
    opened = [];
    document.querySelectorAll(".gz-break").forEach(function (head) { head.classList.remove("gz-break"); });
  }
  window.addEventListener("beforeprint", open);
  window.addEventListener("afterprint", close);
})();
