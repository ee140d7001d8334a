// Each edition has a map of its own in this place: which page and cell made a number. The shelf has none.
window.gzPassports = null;
