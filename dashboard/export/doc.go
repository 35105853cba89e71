// Package export turns figures into files: workbooks and slides. It is pure:
// figures in, bytes out; no warehouse, no HTTP, no clock. The same figures
// give the same bytes.
//
// Every file states the moment and the cut of the log its figures are of, and
// the definition and clause of each indicator. Numbers are written as numbers,
// text as text: a name that begins with = stays a name.
package export

// File is a finished document.
type File struct {
	Name string // a proposal, with the extension
	Type string // media type
	Body []byte
}

// The media types of the files.
const (
	XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
)
