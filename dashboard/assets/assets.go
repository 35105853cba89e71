// Package assets holds the files that come from elsewhere: the chart library
// and the maps, which go to browsers, and the slide library, which runs inside
// the program. `make assets` builds them into dist with npm; none is committed.
// build/build.mjs tells how, and a program or test started without them says so.
//
// A Server gives browsers the part of them under dist/web together with the
// files of whoever makes it, under addresses that change with the content:
//
//	server, err := assets.New(static)       // static: app.js, app.css …
//	mux.Handle(assets.Prefix, server)
//	url, err := server.URL("app.js")        // /assets/app.5d41402a.js
//	url, err = server.URL("map/220100.json") // the counties of 长春市
//
// A map is GeoJSON by our division codes: map/220000.json has the prefectures,
// map/<prefecture>.json its counties. A feature's properties are code, name and
// cp, the place of its label. The member "points" of a map lists the divisions
// that have no polygon but a place, with the same three: 长白山保护开发区.
// Development zones have neither.
package assets

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var embedded embed.FS

// Dist is what `make assets` has built: pptxgen.js, and web with what browsers
// get. It is empty before.
var Dist = mustSub(embedded, "dist")

// ErrMissing tells that `make assets` has not been run before the program was
// built.
var ErrMissing = errors.New("static files are missing: run `make assets` and build again")

// required are the files that nothing works without.
var required = []string{"stamp", "pptxgen.js", "web/echarts.min.js", "web/map/220000.json", "web/THIRD-PARTY.txt"}

// Check returns ErrMissing, with the name of a file, unless dist is complete.
// The build writes its stamp last.
func Check() error { return check(Dist) }

func check(dist fs.FS) error {
	for _, name := range required {
		if _, err := fs.Stat(dist, name); err != nil {
			return fmt.Errorf("dashboard/assets/dist/%s: %w", name, ErrMissing)
		}
	}
	return nil
}

func mustSub(fsys fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err) // only for a name that is no path
	}
	return sub
}
