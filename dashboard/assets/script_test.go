package assets_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"zhiban/dashboard/assets"
	"zhiban/dashboard/assets/axe"
)

// engine runs a built script in an engine where text cannot become code, as in
// a page under Content-Security-Policy: script-src 'self'.
func engine(t *testing.T, name string) *goja.Runtime {
	t.Helper()
	if err := assets.Check(); err != nil {
		t.Fatal(err)
	}
	source, err := fs.ReadFile(assets.Dist, name)
	if err != nil {
		t.Fatal(err)
	}
	vm := goja.New()
	run(t, vm, `{
		const refuse = () => { throw new Error("text became code") };
		globalThis.eval = refuse;
		Function.prototype.constructor = globalThis.Function = refuse;
		globalThis.setTimeout = () => 0;
	}`)
	run(t, vm, string(source))
	return vm
}

func run(t *testing.T, vm *goja.Runtime, script string) goja.Value {
	t.Helper()
	v, err := vm.RunString(script)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestChartsDrawUnderAStrictPolicy(t *testing.T) {
	vm := engine(t, "web/echarts.min.js")
	for name, option := range map[string]string{
		"bar":     `{title: {text: "咨询"}, legend: {}, tooltip: {}, aria: {enabled: true}, grid: {containLabel: true}, dataset: {source: [["a", 1], ["b", 2]]}, xAxis: {type: "category"}, yAxis: {}, dataZoom: [{}], series: [{type: "bar", markLine: {data: [{type: "average"}]}}]}`,
		"line":    `{xAxis: {type: "time"}, yAxis: {}, series: [{type: "line", data: [["2026-01-01", 1], ["2026-02-01", 2]], markArea: {data: [[{xAxis: "2026-01-01"}, {xAxis: "2026-01-09"}]]}}]}`,
		"pie":     `{series: [{type: "pie", data: [{name: "看守所", value: 3}]}]}`,
		"heatmap": `{visualMap: {max: 2}, xAxis: {type: "category", data: ["1"]}, yAxis: {type: "category", data: ["8"]}, series: [{type: "heatmap", data: [[0, 0, 1]]}]}`,
		"scatter": `{xAxis: {}, yAxis: {}, series: [{type: "scatter", data: [[1, 2]]}]}`,
		"map":     `{geo: {map: "square", nameProperty: "code"}, series: [{type: "map", geoIndex: 0, data: [{name: "220100", value: 1}]}, {type: "scatter", coordinateSystem: "geo", data: [[1, 1]]}]}`,
	} {
		svg := run(t, vm, `(() => {
			echarts.registerMap("square", {type: "FeatureCollection", features: [{type: "Feature", properties: {code: "220100"}, geometry: {type: "Polygon", coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}}]});
			const chart = echarts.init(null, null, {renderer: "svg", ssr: true, width: 400, height: 300, locale: "ZH"});
			chart.setOption(`+option+`);
			return chart.renderToSVGString();
		})()`).String()
		if !strings.HasPrefix(svg, "<svg") || strings.Count(svg, "<path") < 1 {
			t.Errorf("%s: %.200s", name, svg)
		}
	}
	if month := run(t, vm, `echarts.time.format(new Date(2026, 9, 1), "{MMM}", false, "ZH")`).String(); month != "10月" {
		t.Errorf("October in Chinese is %q", month)
	}
}

func TestSlidesHaveNativeCharts(t *testing.T) {
	vm := engine(t, "pptxgen.js")
	if err := vm.Set("__goZip", zipParts); err != nil {
		t.Fatal(err)
	}
	promise, ok := run(t, vm, `(() => {
		const deck = new PptxGenJS();
		deck.addSlide().addChart("bar", [{name: "咨询", labels: ["长春市", "吉林市"], values: [1280, 830]}], {x: 1, y: 1, w: 8, h: 4});
		return deck.write({outputType: "base64"});
	})()`).Export().(*goja.Promise)
	if !ok || promise.State() != goja.PromiseStateFulfilled {
		t.Fatalf("the deck is not written: %v", promise)
	}
	parts := unzip(t, promise.Result().String())
	for name, want := range map[string]string{
		"[Content_Types].xml":   "/ppt/charts/chart1.xml",
		"ppt/presentation.xml":  "<p:sldId ",
		"ppt/slides/slide1.xml": "<p:graphicFrame>",
		"ppt/charts/chart1.xml": "长春市",
	} {
		if !strings.Contains(parts[name], want) {
			t.Errorf("%s does not contain %s: %.200s", name, want, parts[name])
		}
	}
	book := parts["ppt/embeddings/Microsoft_Excel_Worksheet1.xlsx"]
	if sheet := unzip(t, base64.StdEncoding.EncodeToString([]byte(book)))["xl/worksheets/sheet1.xml"]; !strings.Contains(sheet, "<v>1280</v>") {
		t.Errorf("the chart's workbook does not have its figures: %.200s", sheet)
	}
}

// zipParts is a __goZip as build/jszip.js wants it.
func zipParts(names, datas []string, encoded []bool) (string, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for i, name := range names {
		part := []byte(datas[i])
		if encoded[i] {
			var err error
			if part, err = base64.StdEncoding.DecodeString(datas[i]); err != nil {
				return "", err
			}
		}
		w, err := z.Create(name)
		if err != nil {
			return "", err
		}
		if _, err := w.Write(part); err != nil {
			return "", err
		}
	}
	err := z.Close()
	return base64.StdEncoding.EncodeToString(buf.Bytes()), err
}

func unzip(t *testing.T, encoded string) map[string]string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = string(b)
	}
	return parts
}

func TestAxeIsThereForTests(t *testing.T) {
	script, err := axe.Script()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(script, "axe v4.") {
		t.Errorf("this is not axe-core: %.80s", script)
	}
}
