package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Prefix is the path under which a Server answers.
const Prefix = "/assets/"

// Server gives browsers static files. A file's address holds a hash of its
// content and may be kept for ever:
//
//	/assets/echarts.min.5d41402a.js  Cache-Control: public, max-age=31536000, immutable
//	/assets/echarts.min.js           Cache-Control: no-cache, and an ETag
//	/assets/echarts.min.00000000.js  the same: a page of another version asks
//
// Text goes out compressed to those who accept gzip.
type Server struct {
	files map[string]*file // by name: map/220100.json
}

type file struct {
	name, hash, contentType string
	body                    []byte
	gzipped                 func() []byte // nil where it does not help
}

// New makes a Server of dist/web and of extra, whose files take the place of
// earlier ones of the same name: so an operator brings their own map. It reads
// everything at once; names that begin with a dot are left out.
func New(extra ...fs.FS) (*Server, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	s := &Server{files: map[string]*file{}}
	for _, fsys := range append([]fs.FS{mustSub(Dist, "web")}, extra...) {
		err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case strings.HasPrefix(d.Name(), ".") && name != ".":
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			case d.IsDir():
				return nil
			}
			body, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			s.files[name] = newFile(name, body)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading static files: %w", err)
		}
	}
	return s, nil
}

// contentTypes does not depend on the machine, as package mime's table does.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

var incompressible = map[string]bool{".png": true, ".woff2": true}

func newFile(name string, body []byte) *file {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	f := &file{name: name, hash: hex.EncodeToString(sum[:4]), body: body, contentType: contentTypes[ext]}
	if f.contentType == "" {
		f.contentType = mime.TypeByExtension(ext)
	}
	if f.contentType == "" {
		f.contentType = "application/octet-stream"
	}
	if len(body) > 1000 && !incompressible[ext] {
		f.gzipped = sync.OnceValue(func() []byte { return gzipped(body) })
	}
	return f
}

func gzipped(body []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // fails for unknown levels alone
	_, _ = w.Write(body)                                    // a Buffer takes everything
	_ = w.Close()
	return buf.Bytes()
}

// URL is the address of a file, such as "app.js" or "map/220100.json". It
// fails with fs.ErrNotExist when there is none: not every division has a map.
// Templates can call it as it is.
func (s *Server) URL(name string) (string, error) {
	f, ok := s.files[name]
	if !ok {
		return "", fmt.Errorf("static file %s: %w", name, fs.ErrNotExist)
	}
	ext := path.Ext(name)
	return Prefix + strings.TrimSuffix(name, ext) + "." + f.hash + ext, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, hash := strings.TrimPrefix(r.URL.Path, Prefix), ""
	f, ok := s.files[name]
	if !ok {
		name, hash = splitHash(name)
		f, ok = s.files[name]
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	if hash == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body, etag := f.body, f.hash
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			body, etag = f.gzipped(), f.hash+"-gzip"
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(body)))
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(body))
}

// splitHash takes the hash out of echarts.min.5d41402a.js.
func splitHash(name string) (plain, hash string) {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	hash = strings.TrimPrefix(path.Ext(stem), ".")
	if len(hash) != 8 {
		return name, ""
	}
	return strings.TrimSuffix(stem, "."+hash) + ext, hash
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.TrimSpace(coding) != "gzip" {
			continue
		}
		weight, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}
