/* Measure distances and areas on the ground: click corners, Escape ends. */

(function () {
  "use strict";
  const { make, icon, word } = gridmap;
  const RADIUS = 6371008.8;                                // mean radius of the earth in metres
  const radians = degrees => degrees * Math.PI / 180;

  gridmap.distance = (one, other) => {
    const a = Math.sin(radians(other.lat - one.lat) / 2) ** 2 + Math.cos(radians(one.lat)) *
      Math.cos(radians(other.lat)) * Math.sin(radians(other.lng - one.lng) / 2) ** 2;
    return 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(a)));
  };
  /* Area of a polygon on the sphere; its sides follow parallels nearly enough at city size. */
  gridmap.area = places => {
    let sum = 0;
    places.forEach((place, k) => {
      const next = places[(k + 1) % places.length];
      sum += radians(next.lng - place.lng) * (2 + Math.sin(radians(place.lat)) + Math.sin(radians(next.lat)));
    });
    return Math.abs(sum) * RADIUS * RADIUS / 2;
  };
  const length = places => places.slice(1).reduce((sum, place, k) =>
    sum + gridmap.distance(places[k], place), 0);
  const asLength = metres => (metres >= 1000 ? `${gridmap.number(metres / 1000, metres < 1e5 ? 2 : 0)} km` :
    `${gridmap.number(metres, metres < 10 ? 1 : 0)} m`);

  gridmap.tools.push(view => {
    const { map } = view;
    const line = L.polyline([], { color: "#b3123f", weight: 3, interactive: false });
    const face = L.polygon([], { stroke: false, fillColor: "#b3123f", fillOpacity: 0.16, interactive: false });
    const dots = L.layerGroup();
    const told = make("output", { class: "gm-measured", hidden: true, "aria-live": "polite" });
    let places = [];
    const button = make("button", { type: "button", "aria-pressed": "false" },
      icon("M2.5 13.5l11-11 4 4-11 11z", "M6 10l1.8 1.8", "M8.8 7.2l2.6 2.6", "M11.6 4.4l1.8 1.8"));
    gridmap.spoken(button, "measure", "aria-label");
    gridmap.spoken(button, "measure", "title");

    const paint = more => {
      const all = more ? [...places, more] : places;
      line.setLatLngs(all);
      face.setLatLngs(all.length > 2 ? all : []);
      told.textContent = all.length < 2 ? word("measureHint") :
        word("measured", { length: asLength(length(all)) }) + (all.length < 3 ? "" :
          " · " + word("measuredArea", { area: gridmap.format(gridmap.area(all), { kind: "area" }) }));
    };
    const add = event => {
      places.push(event.latlng);
      dots.addLayer(L.circleMarker(event.latlng, { radius: 4, color: "#fff", weight: 1.5,
        fillColor: "#b3123f", fillOpacity: 1, interactive: false }));
      paint();
    };
    const move = event => { if (places.length) paint(event.latlng); };
    const use = on => {
      gridmap.toolInUse = on;
      button.setAttribute("aria-pressed", String(on));
      told.hidden = !on;
      map.getContainer().classList.toggle("gm-crosshair", on);
      map[on ? "on" : "off"]("click", add);
      map[on ? "on" : "off"]("mousemove", move);
      map.doubleClickZoom[on ? "disable" : "enable"]();
      for (const layer of [face, line, dots]) { if (on) layer.addTo(map); else layer.remove(); }
      places = []; dots.clearLayers(); paint();
    };
    button.addEventListener("click", () => use(button.getAttribute("aria-pressed") !== "true"));
    document.addEventListener("keydown", event => {
      if (event.key === "Escape" && gridmap.toolInUse) { use(false); button.focus(); }
    });
    document.body.append(told);
    return button;
  });
})();
