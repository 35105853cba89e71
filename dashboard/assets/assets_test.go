package assets

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func TestWithoutABuildTheRemedyIsNamed(t *testing.T) {
	unfinished := fstest.MapFS{}
	for _, name := range required[1:] {
		unfinished[name] = &fstest.MapFile{}
	}
	for name, dist := range map[string]fstest.MapFS{"a fresh clone": {".gitkeep": {}}, "an unfinished build": unfinished} {
		err := check(dist)
		if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "run `make assets`") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Check(); err != nil {
		t.Error(err)
	}
}
