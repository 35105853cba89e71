package ledger

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"zhiban/schemas"
)

// Everything that is said about files and rows goes through these, with the
// format at this place among the args.
var speakers = map[string]int{"tell": 0, "errorf": 0, "note": 0, "unreadable": 1, "fault": 2, "look": 1}

func TestWhatIsSaidIsInTheTableInBothLanguages(t *testing.T) {
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	look := func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := ""
		switch f := call.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		place, ok := speakers[name]
		if !ok || len(call.Args) <= place {
			return true
		}
		if text, ok := call.Args[place].(*ast.BasicLit); ok && text.Kind == token.STRING {
			format, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			said[format] = true
			if _, ok := english[format]; !ok {
				t.Errorf("%s: %q has no English in the table", files.Position(text.Pos()), format)
			}
		}
		return true
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if len(said) < 80 {
		t.Fatalf("only %d messages were found in the source", len(said))
	}
	for format, in := range english {
		if !said[format] {
			t.Errorf("%q is not said anywhere", format)
		}
		if got, want := verbs(in), verbs(format); !slices.Equal(got, want) {
			t.Errorf("%q has %v in English, %v in Chinese", format, got, want)
		}
		for _, r := range onlyQuoted.ReplaceAllString(in, "") {
			if unicode.Is(unicode.Han, r) {
				t.Errorf("%q is not quite English", in)
				break
			}
		}
	}
}

// onlyQuoted are the words of the ledger that stand in English sentences too.
var onlyQuoted = regexp.MustCompile(`离岗时间|次日%s|“第%s%s”|是 \(yes\)|否 \(no\)|榆树市法律援助中心%s|XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站`)

var verb = regexp.MustCompile(`%(?:\[\d\])?\d*([sdv])`)

func verbs(format string) []string {
	var out []string
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return out
}

func TestATextIsToldInEachLanguageWithItsParts(t *testing.T) {
	err := unreadable("a.xlsx", "工作表「%s」读不出来：%v", "九月", errorf("第%d行：%v", 3, errNoSuchDay))
	if want := "a.xlsx：工作表「九月」读不出来：第3行：不存在"; err.Error() != want {
		t.Errorf("%q, expected %q", err, want)
	}
	if got, want := ErrorText(err), (schemas.Text{ZH: err.Error(), EN: "a.xlsx: sheet “九月” cannot be read: row 3: does not exist"}); got != want {
		t.Errorf("%+v, expected %+v", got, want)
	}
	if schemas.KindOf(err) != schemas.Invalid {
		t.Errorf("kind %v", schemas.KindOf(err))
	}
}
