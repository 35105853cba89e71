package embedded

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// logFile takes what the ClickHouse process writes to its standard output and
// error. It keeps whole lines in a file, which is moved to NAME.1 when it reaches
// maxBytes, and the last lines in memory, to quote them when the process fails.
//
// A log that cannot be written is no reason to stop ClickHouse, so Write never
// fails: then only the lines in memory are there.
type logFile struct {
	path     string
	maxBytes int64

	mu   sync.Mutex
	file *os.File
	size int64
	part []byte // of a line without its end yet
	tail []string
}

const (
	logFileBytes = 4 << 20
	tailLines    = 40
)

// frame matches a line of a stack trace. The library has no symbols, so after each
// error there are 25 such lines that say nothing.
var frame = regexp.MustCompile(`^\s*(\d+\. .* @ 0x[0-9a-f]+)?\s*$`)

func openLogFile(path string) *logFile {
	l := &logFile{path: path, maxBytes: logFileBytes}
	l.open()
	return l
}

func (l *logFile) open() {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	if info, err := f.Stat(); err == nil {
		l.size = info.Size()
	}
	l.file = f
}

// begin forgets the lines of an earlier process.
func (l *logFile) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part, l.tail = nil, nil
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, p...)
	for {
		line, rest, found := bytes.Cut(l.part, []byte("\n"))
		if !found {
			break
		}
		l.line(string(line))
		l.part = rest
	}
	const longest = 64 << 10
	if len(l.part) > longest {
		l.line(string(l.part))
		l.part = nil
	}
	return len(p), nil
}

func (l *logFile) line(line string) {
	if frame.MatchString(line) {
		return
	}
	if len(l.tail) == tailLines {
		l.tail = l.tail[1:]
	}
	l.tail = append(l.tail, line)
	if l.size >= l.maxBytes {
		l.rotate()
	}
	if l.file == nil {
		return
	}
	n, _ := l.file.WriteString(line + "\n")
	l.size += int64(n)
}

func (l *logFile) rotate() {
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.size = nil, 0
	_ = os.Rename(l.path, l.path+".1") // what cannot be moved grows on
	l.open()
}

// text is what is kept in memory.
func (l *logFile) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(append(slices.Clone(l.tail), string(l.part)), "\n")
}

// lastWords is what the process said last that matters: its last line with an
// error, or else its last line.
func (l *logFile) lastWords() string {
	last := ""
	for line := range strings.Lines(l.text()) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "Exception") || line != "" && !strings.Contains(last, "Exception") {
			last = line
		}
	}
	const most = 400
	if runes := []rune(last); len(runes) > most {
		last = string(runes[:most]) + "…"
	}
	return last
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
	l.size = 0
}
