// What changed since the edition that this reader last opened: kept in the browser alone, composed from the digests of two editions.
(function () {
  "use strict";
  var KEY = "gz-read", WEEK = /^\d{4}-W\d\d$/;
  var place = document.querySelector(".gz-since"), strip = document.querySelector(".gz-strip");

  // The same sentences as gazette.conclusions.news; tests hold the two to it.
  function news(before, now) {
    var said = [], other = before.currency !== now.currency, old = {}, fresh = {}, seen = {};
    var money = now.cards.filter(function (c) { return c.unit === "money"; }).length;
    if (other) said.push("Amounts are now in " + now.currency + "; in " + before.edition + " they were in " + before.currency + ", so they are not compared. Cards in money: " + money + ".");
    before.subjects.forEach(function (s) { old["=" + s.id] = s; });
    now.subjects.forEach(function (s) { fresh["=" + s.id] = s; });
    var turned = now.subjects.filter(function (s) { var then = old["=" + s.id]; return then && (s.state || "") !== (then.state || ""); });
    var alike = [], at = {};
    turned.forEach(function (s) {
      var was = old["=" + s.id].state || "none", state = s.state || "none";
      var kind = JSON.stringify([was, state, turned.length > 5 ? s.because || "" : s.id]);
      if (!(kind in at)) { at[kind] = alike.length; alike.push({ was: was, state: state, subjects: [] }); }
      alike[at[kind]].subjects.push(s);
    });
    alike.forEach(function (a) {
      var s = a.subjects[0], because = s.because ? ", because " + s.because : "";
      if (a.subjects.length > 1) said.push(a.subjects.length + " verdicts were “" + a.was + "” and are now “" + a.state + "”" + because + ": " + a.subjects.map(function (o) { return o.title; }).join(", ") + ".");
      else said.push(s.title + ": the verdict was “" + a.was + "” and is now “" + a.state + "”" + because + (s.rests ? "; " + s.rests.words + " " + s.rests.text : "") + ".");
    });
    function list(words, from, other) {
      var names = from.filter(function (s) { return !other["=" + s.id]; }).map(function (s) { return s.title; });
      if (names.length) said.push(names.length + " " + words + ": " + names.join(", ") + ".");
    }
    list("new here", now.subjects, old);
    list("no longer reported", before.subjects, fresh);
    before.cards.forEach(function (c) { seen["=" + c.id] = c; });
    now.cards.forEach(function (c) {
      var then = seen["=" + c.id], foreign = other && c.unit === "money";
      if (c.value === null) {
        if (then && then.value === null) return;
        if (!then || foreign) said.push(c.title + ", one of " + now.cards.length + " cards, " + (then ? "is missing now" : "is new") + ": " + c.shown + ".");
        else said.push(c.title + " is missing now: " + c.shown + "; it was " + then.shown + ".");
      }
      else if (!then) said.push("New card: " + c.title + ", " + c.shown + ".");
      else if (then.value === null) said.push(c.title + " is back: " + c.shown + ".");
      else if (!foreign && moved(then, c)) said.push(c.title + ": was " + then.shown + ", is " + c.shown + ".");
    });
    return said;
  }
  function moved(then, now) {
    if (then.half === null || now.half === null) return then.shown !== now.shown;
    return Math.abs(now.value - then.value) > Math.hypot(then.half, now.half);
  }
  window.gzCompareNews = news;
  if (!place || !strip || !WEEK.test(place.dataset.edition)) return;

  var here = place.dataset.edition, kept = {};
  try { kept = JSON.parse(localStorage.getItem(KEY)) || {}; } catch (e) { kept = {}; }
  if (!WEEK.test(kept.now)) kept = {};
  if (!WEEK.test(kept.before)) kept.before = "";
  if (!kept.now || here > kept.now) {
    kept = { before: kept.now || "", now: here };
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch (e) { /* private window */ }
  }
  if (here !== kept.now || !kept.before) return;
  if (window.gzRestated) restated(); else document.addEventListener("gz-restated", restated);
  if (kept.before === place.dataset.before) return; // the page says that itself

  // Numbers that this reader has seen and that are not what they were.
  function restated() {
    var found = window.gzRestated, old = (found.editions[kept.before] || {}).whole;
    if (!old) return;
    var line = document.createElement("p");
    line.className = "gz-since-restated";
    add("strong", old.flips ? "✗ " : "! ", line);
    line.appendChild(document.createTextNode("Of " + kept.before + ", which you opened last, " +
      (old.numbers === 1 ? "one number is" : old.numbers + " numbers are") + " not what you read then" +
      (old.flips ? ", and " + (old.flips === 1 ? "a verdict" : old.flips + " verdicts") + " would be another one today. " : "; every verdict still holds. ")));
    if (found.page) add("a", "What changed, and why", line).href = strip.dataset.shelf + found.page + "#" + kept.before;
    place.parentNode.insertBefore(line, place.nextSibling);
  }
  function load(week) {
    return new Promise(function (done, fail) {
      if (window.gzNews && window.gzNews[week]) { done(window.gzNews[week]); return; }
      var script = document.createElement("script");
      script.src = strip.dataset.shelf + "editions/" + week + "/news.js";
      script.onload = function () { if (window.gzNews && window.gzNews[week]) done(window.gzNews[week]); else fail(); };
      script.onerror = fail;
      document.head.appendChild(script);
    });
  }
  function add(tag, text, parent) {
    var made = document.createElement(tag);
    if (text) made.textContent = text;
    parent.appendChild(made);
    return made;
  }
  function tell(write) { place.textContent = ""; write(); place.hidden = false; }
  Promise.all([load(kept.before), load(here)]).then(function (two) {
    var said = news(two[0], two[1]);
    tell(function () {
      add("p", "Since " + kept.before + ", which you opened last:", place);
      if (!said.length) { add("p", "Nothing that is told from chance.", place); return; }
      var list = add("ul", "", place);
      said.forEach(function (text) { add("li", text, list); });
    });
  }).catch(function () {
    tell(function () { add("p", "You last opened " + kept.before + ", which has nothing to compare with.", place); });
  });
})();
