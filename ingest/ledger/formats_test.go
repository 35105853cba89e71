package ledger

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhiban/schemas"
)

func TestAFileThatIsNoLedgerIsRefusedInOneLine(t *testing.T) {
	good := book(t, signInSheet(shiftLine))
	encrypted := func() []byte {
		f := excelize.NewFile()
		defer f.Close()
		return bytesOf(t, f, excelize.Options{Password: "1234"})
	}()
	noLedger := "a.xlsx：没有找到台账的表头。可以导入的有：" + wanted()
	ole := append([]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}, utf16("Workbook")...)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "a.xlsx：文件是空的"},
		{"text", []byte("日期,执业证号\n"), noLedger},
		{"a picture", []byte("\x89PNG\r\n\x1a\n\x00\x00"), "a.xlsx：既不是 Excel 工作簿（.xlsx），也不是 CSV 文件。请在 Excel 或 WPS 中另存为 .xlsx"},
		{"a PDF", []byte("%PDF-1.7\n"), "a.xlsx：是 PDF 文件。请导入原来的 Excel 或 CSV 文件"},
		{"a web page", []byte("<html><table><tr><td>日期"), "a.xlsx：实际是网页而不是 Excel 文件。请在 Excel 中打开后另存为 .xlsx"},
		{"the old format", ole, "a.xlsx：是旧格式（.xls 或 .et）。请在 Excel 或 WPS 中另存为 .xlsx 后再导入"},
		{"encrypted", encrypted, "a.xlsx：文件设有打开密码。请在 Excel 中取消密码（文件→信息→保护工作簿）后再导入"},
		{"cut off", good[:len(good)*2/3], "a.xlsx：文件不完整或已损坏，打不开。请重新复制一份，或在 Excel 中打开后另存为 .xlsx"},
		{"another zip", zipped(t, map[string]string{"word/document.xml": "<x/>"}), "a.xlsx：不是 Excel 工作簿（.xlsx）。请在 Excel 或 WPS 中另存为 .xlsx"},
		{"an empty book", book(t, sheet{name: "Sheet1"}), noLedger},
		{"no licences", book(t, sheet{name: "签到", rows: [][]any{{"日期", "值班律师", "到岗时间", "离岗时间"}}}), "a.xlsx：工作表「签到」像是签到簿，但表头缺少 「执业证号」（或律师执业证号码、律师执业证号、执业证号码）、「值班方式」（或方式、值班形式、值班类型）。请补上这一列（列的先后不限）后再导入"},
		{"no station", book(t, sheet{name: "签到", rows: [][]any{shiftHead, shiftLine}}), "a.xlsx：标题里没有工作站名称（XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站）。请补上标题，或用 --station 代码 指定，例如 --station 220182-court"},
		{"an unknown station", book(t, sheet{name: "签到", rows: [][]any{{"铁岭市法律援助中心驻人民法院值班律师工作站"}, shiftHead, shiftLine}}), "a.xlsx：工作站「铁岭市法律援助中心驻人民法院值班律师工作站」认不出来：区划名册中没有「铁岭市」。请用 --station 代码 指定，例如 --station 220182-court"},
		{"a bomb", bomb(t), "a.xlsx：文件解压后超过 256 MB，不像台账，不予打开。请把台账复制到新的工作簿再导入"},
		{"too large", append([]byte("PK"), make([]byte, MaxFileBytes)...), "a.xlsx：文件超过 64 MB，不像台账。请删去图片等无关内容后再导入"},
		{"broken XML", edited(t, good, "xl/worksheets/sheet1.xml", func(s string) string { return strings.Replace(s, "</row>", "</row>\x01<", 1) }), "a.xlsx：文件内容已损坏（XML syntax error on line 2: illegal character code U+0001）。请在 Excel 中打开后另存为 .xlsx"},
	} {
		l, err := Read("a.xlsx", bytes.NewReader(c.file), ReadOptions{})
		if l != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
		if schemas.KindOf(err) != schemas.Invalid {
			t.Errorf("%s: kind %d", c.name, schemas.KindOf(err))
		}
	}
}

// A zip whose directory lies about sizes is stopped where it begins to lie.
func TestABombThatLiesAboutItsSizeIsRefused(t *testing.T) {
	b := zipped(t, map[string]string{"xl/workbook.xml": "<x/>", "xl/worksheets/sheet1.xml": "<worksheet>" + strings.Repeat(" ", 1<<20)})
	size := binary.LittleEndian.AppendUint32(nil, 1<<20+uint32(len("<worksheet>")))
	lie := bytes.ReplaceAll(b, size, []byte{16, 0, 0, 0})
	if bytes.Equal(lie, b) {
		t.Fatal("the size was not found")
	}
	if _, err := Read("a.xlsx", bytes.NewReader(lie), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "已损坏") {
		t.Error(err)
	}
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a zip whose directory promises more than may be unpacked.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, size := range []uint64{4, maxUnpacked} {
		if _, err := w.CreateRaw(&zip.FileHeader{Name: []string{"xl/workbook.xml", "xl/worksheets/sheet1.xml"}[i], Method: zip.Deflate, UncompressedSize64: size}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// edited changes one part of a zip.
func edited(t *testing.T, src []byte, part string, change func(string) string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(src), int64(len(src)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range r.File {
		f, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name] = string(b)
	}
	if _, ok := files[part]; !ok {
		t.Fatalf("no %s", part)
	}
	files[part] = change(files[part])
	return zipped(t, files)
}

// Whatever the cells of a line hold, it is accepted with events that are
// valid, rejected with a reason, or accounted for as no line.
func FuzzLine(f *testing.F) {
	f.Add("2026-09-01", "8:30", "16:30", "现场", wang, "王立新", "近亲属")
	f.Add("9.1", "0.35", "次日8:30", "网络", "１２２０１２０１８１０１２３４５６", "", "家属")
	f.Add("46266.3", "", "2026-09-02 8时", "来访", wang, "√", "否")
	f.Add("合计", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, h string) {
		l := &Ledger{File: "a.xlsx"}
		r := &reader{book: &workbook{large: true}, ledger: l, name: "表", merged: new(merges), period: period{2026, 9}}
		for _, table := range [][2][]string{
			{{"日期", "到岗时间", "离岗时间", "值班方式", "执业证号", "值班律师", "工作牌"}, {a, b, c, d, e, g, h}},
			{{"日期", "时间", "时长", "咨询方式", "执业证号", "值班律师", "身份", "咨询问题", "咨询人", "律师签字", "是否引导"}, {a, b, c, d, e, g, h, g, d, h, c}},
		} {
			layout, ok := findLayout(table[:1], 1, r.merged)
			if !ok {
				t.Fatal("no heading")
			}
			r.begin(layout)
			r.row(sheetRow{2, table[1]}, slices.Clone(table[1]))
		}
		if err := l.finish("220182-court"); err != nil {
			t.Fatal(err)
		}
		validate(t, l.Events)
		for _, r := range l.Rejections {
			if r.Reason.ZH == "" || r.Reason.EN == "" || r.Code == "" {
				t.Errorf("%+v", r)
			}
		}
		for _, s := range l.Sheets {
			if s.Rows != s.Accepted+s.Repeated+s.Rejected || s.Rows+s.Totals+s.Others > 1 {
				t.Errorf("%+v", s)
			}
		}
	})
}
