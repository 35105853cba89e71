package export

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// archiver makes the archives of a deck in the place of JSZip: pptxgenjs
// collects the parts, and Go compresses them. Each archive holds its parts in
// the order given, all of one time.
type archiver struct{ at time.Time }

func newArchiver(at time.Time) archiver { return archiver{at.UTC().Truncate(2 * time.Second)} }

// zip is the script's __goZip: datas[i] is the text of the part names[i], or
// its bytes in base64 where encoded[i]. It answers in base64.
func (a archiver) zip(names, datas []string, encoded []bool) (string, error) {
	if len(names) != len(datas) || len(names) != len(encoded) {
		return "", fmt.Errorf("archive of %d names, %d parts and %d flags", len(names), len(datas), len(encoded))
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i, name := range names {
		if strings.HasSuffix(name, "/") {
			continue // folders need no entry
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at})
		if err != nil {
			return "", fmt.Errorf("archive part %s: %w", name, err)
		}
		if encoded[i] {
			_, text, found := strings.Cut(datas[i], "base64,") // of a data URL
			if !found {
				text = datas[i]
			}
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return "", fmt.Errorf("archive part %s: %w", name, err)
			}
			_, err = w.Write(data)
			if err != nil {
				return "", err
			}
			continue
		}
		if _, err := io.WriteString(w, mend(name, datas[i])); err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

var (
	emptyPoint = regexp.MustCompile(`<c:pt idx="[0-9]+"><c:v></c:v></c:pt>`)
	emptyCell  = strings.NewReplacer("<v></v>", "")
	latinOnly  = regexp.MustCompile(`<a:latin typeface="([^"]*)"/><a:ea typeface=""/>`)
)

// mend puts right what pptxgenjs cannot be told: a figure that is absent is no
// point and no number, rather than an empty one; the theme's face is for
// Chinese too. User text cannot look like what is mended, its < is escaped.
func mend(name, text string) string {
	switch {
	case strings.HasPrefix(name, "ppt/charts/chart"):
		return emptyPoint.ReplaceAllLiteralString(text, "")
	case strings.HasPrefix(name, "xl/worksheets/"):
		return emptyCell.Replace(text)
	case strings.HasPrefix(name, "ppt/theme/"):
		return latinOnly.ReplaceAllString(text, `<a:latin typeface="$1"/><a:ea typeface="$1"/>`)
	}
	return text
}
