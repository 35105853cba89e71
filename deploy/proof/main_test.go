package proof

import (
	"io"
	"net/http"
	"testing"

	"zhiban/deploy/embedded"
)

func TestMain(m *testing.M) {
	embedded.ChildMain() // returns unless this process is to be the warehouse
	m.Run()
}

// get asks for a page that must be there.
func get(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v\n%s", url, res.Status, err, body)
	}
	return body
}
