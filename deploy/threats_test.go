package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page about threats names tests that there are.
func TestThreatsNameTheirTests(t *testing.T) {
	text, err := os.ReadFile("THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/.]+): ((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) == 0 {
		t.Fatal("no test is named")
	}
	if all := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]`).FindAllString(string(text), -1); len(all) != len(named) {
		t.Errorf("%d tests are named, %d as `package: Name`", len(all), len(named))
	}
	sources := map[string]string{}
	for _, n := range named {
		dir, test := n[1], n[2]
		if _, ok := sources[dir]; !ok {
			files, err := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				sources[dir] += string(source)
			}
		}
		if !strings.Contains(sources[dir], "\nfunc "+test+"(") {
			t.Errorf("%s has no %s", dir, test)
		}
	}
}
