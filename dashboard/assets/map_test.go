package assets_test

import (
	"encoding/json"
	"io/fs"
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/planar"

	"zhiban/dashboard/assets"
	"zhiban/schemas"
)

// today is a day on which the tree of divisions is the current one.
var today = schemas.Date(2026, 1, 1)

type place struct {
	Code schemas.DivisionCode
	Name string
	CP   orb.Point
}

type division struct {
	place
	area orb.MultiPolygon
}

// readMap reads map/<code>.json.
func readMap(t *testing.T, code schemas.DivisionCode) (features []division, points []place) {
	t.Helper()
	if err := assets.Check(); err != nil {
		t.Fatal(err)
	}
	data, err := fs.ReadFile(assets.Dist, "web/map/"+string(code)+".json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Features []struct {
			Properties place
			Geometry   struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
		Points []place
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("map of %s: %v", code, err)
	}
	for _, f := range m.Features {
		d := division{place: f.Properties}
		if f.Geometry.Type == "Polygon" {
			d.area = make(orb.MultiPolygon, 1)
			err = json.Unmarshal(f.Geometry.Coordinates, &d.area[0])
		} else {
			err = json.Unmarshal(f.Geometry.Coordinates, &d.area)
		}
		if err != nil {
			t.Fatalf("polygon of %s: %v", d.Name, err)
		}
		features = append(features, d)
	}
	return features, m.Points
}

// onTheMap tells which divisions have a polygon: those with a code of GB/T
// 2260. build/map.mjs says why the others have none.
func onTheMap(d schemas.Division) bool { return d.Kind == "gbt2260" }

func TestEachMapShowsExactlyTheDivisionsUnderIt(t *testing.T) {
	counties := 0
	for _, parent := range append(schemas.Divisions.Children(schemas.Province, today, today), mustGet(t, schemas.Province)) {
		if !onTheMap(parent) {
			continue
		}
		var want, got []place
		for _, d := range schemas.Divisions.Children(parent.Code, today, today) {
			if onTheMap(d) {
				want = append(want, place{Code: d.Code, Name: d.Name})
			}
		}
		features, _ := readMap(t, parent.Code)
		for _, f := range features {
			got = append(got, place{Code: f.Code, Name: f.Name})
			if f.Code[4:] != "00" {
				counties++
			}
		}
		byCode := func(a, b place) int { return slices.Compare([]byte(a.Code), []byte(b.Code)) }
		slices.SortFunc(want, byCode)
		slices.SortFunc(got, byCode)
		if !slices.Equal(got, want) {
			t.Errorf("map of %s shows %v, want %v", parent.Name, got, want)
		}
	}
	if counties != 60 {
		t.Errorf("%d counties on the maps, want 60", counties)
	}
}

func TestLabelsLieInsideTheirDivision(t *testing.T) {
	for code, features := range allMaps(t) {
		for _, f := range features {
			if !planar.MultiPolygonContains(f.area, f.CP) {
				t.Errorf("map of %s: the label of %s lies outside, at %v", code, f.Name, f.CP)
			}
		}
	}
}

func TestGongzhulingLiesInChangchun(t *testing.T) {
	prefectures, _ := readMap(t, schemas.Province)
	changchun, _ := readMap(t, "220100")
	i := slices.IndexFunc(changchun, func(d division) bool { return d.Code == "220184" })
	if i < 0 {
		t.Fatal("公主岭市 is not on the map of 长春市")
	}
	for _, p := range prefectures {
		if in := planar.MultiPolygonContains(p.area, changchun[i].CP); in != (p.Code == "220100") {
			t.Errorf("公主岭市 inside %s: %v", p.Name, in)
		}
	}
}

func TestPinsLieWhereTheirDivisionIs(t *testing.T) {
	prefectures, points := readMap(t, schemas.Province)
	if len(points) != 1 || points[0].Code != "22CB00" || points[0].Name != "长白山保护开发区" {
		t.Fatalf("pins %v, want 长白山保护开发区 alone", points)
	}
	yanbian := slices.IndexFunc(prefectures, func(d division) bool { return d.Code == "222400" })
	if !planar.MultiPolygonContains(prefectures[yanbian].area, points[0].CP) {
		t.Errorf("池北区 lies outside 安图县's prefecture, at %v", points[0].CP)
	}
}

// The areas are about those that the prefectures publish, in km². A gap, an
// overlap, or a county under the wrong prefecture would show.
func TestAreasAreThosePublished(t *testing.T) {
	published := map[schemas.DivisionCode]float64{
		"220100": 24734, "220200": 27711, "220300": 10200, "220400": 5140, "220500": 15612,
		"220600": 17505, "220700": 21089, "220800": 25759, "222400": 43329,
	}
	maps := allMaps(t)
	for _, p := range maps[schemas.Province] {
		whole := geo.Area(p.area) / 1e6
		if math.Abs(whole/published[p.Code]-1) > 0.015 {
			t.Errorf("%s has %.0f km², published are %.0f", p.Name, whole, published[p.Code])
		}
		parts := 0.0
		for _, c := range maps[p.Code] {
			parts += geo.Area(c.area) / 1e6
		}
		if math.Abs(parts/whole-1) > 0.003 {
			t.Errorf("the counties of %s add up to %.0f km², the prefecture has %.0f", p.Name, parts, whole)
		}
	}
}

// A prefecture is one piece without holes, and no county has specks. Neighbours
// share their border, since all come from one topology.
func TestThereAreNoSlivers(t *testing.T) {
	for code, features := range allMaps(t) {
		for _, f := range features {
			if code == schemas.Province && (len(f.area) != 1 || len(f.area[0]) != 1) {
				t.Errorf("%s has %d pieces, the first with %d holes", f.Name, len(f.area), len(f.area[0])-1)
			}
			for _, piece := range f.area {
				for _, ring := range piece {
					if km2 := math.Abs(geo.Area(ring)) / 1e6; km2 < 3 {
						t.Errorf("map of %s: a speck of %.2f km² of %s at %v", code, km2, f.Name, ring[0])
					}
				}
			}
		}
	}
}

func TestMapsAreSmallEnoughToLoadAtOnce(t *testing.T) {
	for code := range allMaps(t) {
		info, err := fs.Stat(assets.Dist, "web/map/"+string(code)+".json")
		if err != nil {
			t.Fatal(err)
		}
		limit := int64(80_000)
		if code == schemas.Province {
			limit = 60_000
		}
		if info.Size() > limit {
			t.Errorf("map of %s has %d bytes, want at most %d", code, info.Size(), limit)
		}
	}
}

// allMaps reads the map of the province and those of its prefectures.
func allMaps(t *testing.T) map[schemas.DivisionCode][]division {
	t.Helper()
	maps := map[schemas.DivisionCode][]division{}
	maps[schemas.Province], _ = readMap(t, schemas.Province)
	for _, p := range maps[schemas.Province] {
		maps[p.Code], _ = readMap(t, p.Code)
	}
	return maps
}

func mustGet(t *testing.T, code schemas.DivisionCode) schemas.Division {
	t.Helper()
	d, ok := schemas.Divisions.Get(code)
	if !ok {
		t.Fatalf("no division %s", code)
	}
	return d
}
