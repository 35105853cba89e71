package embedded

import (
	"fmt"
	"os"
	"path/filepath"
)

// FindLibrary returns the path of libchdb.so. A path given explicitly, or in
// ZHIBAN_CLICKHOUSE_LIB, must exist. Otherwise the library is looked for where
// `make engine` puts it: clickhouse/libchdb.so in $ZHIBAN_CACHE, or in the folder
// .cache of the working directory, of the folder above the executable's, or of
// the module that the working directory is in (tests run in package folders).
func FindLibrary(explicit string) (string, error) {
	if explicit == "" {
		explicit = os.Getenv("ZHIBAN_CLICKHOUSE_LIB")
	}
	if explicit != "" {
		if !isFile(explicit) {
			return "", fmt.Errorf("%w: no file %s", ErrNoLibrary, explicit)
		}
		return filepath.Abs(explicit)
	}
	for _, cache := range caches() {
		if path := filepath.Join(cache, "clickhouse", "libchdb.so"); isFile(path) {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("%w: run `make engine`", ErrNoLibrary)
}

func caches() []string {
	var dirs []string
	if dir := os.Getenv("ZHIBAN_CACHE"); dir != "" {
		dirs = append(dirs, dir)
	}
	dirs = append(dirs, ".cache")
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(exe)), ".cache"))
	}
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			if isFile(filepath.Join(dir, "go.mod")) {
				dirs = append(dirs, filepath.Join(dir, ".cache"))
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return dirs
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
