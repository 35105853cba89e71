// Package axe holds axe-core, which finds barriers in a page, for tests in a
// browser. No program imports it.
package axe

import (
	"embed"
	"fmt"
)

//go:embed all:dist
var dist embed.FS

// Script is axe.min.js. Evaluated in a page, it defines the global axe:
// axe.run(document) is a promise of the violations.
func Script() (string, error) {
	script, err := dist.ReadFile("dist/axe.min.js")
	if err != nil {
		return "", fmt.Errorf("axe-core is missing: run `make assets`: %w", err)
	}
	return string(script), nil
}
