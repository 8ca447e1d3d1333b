package timeline_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/views/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden files are documents, so that a browser shows them when the
// repository is served from its root.
const (
	before = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src 'self'">
<title>Timeline</title><link rel="stylesheet" href="../../../static/app.css"><link rel="stylesheet" href="../../../static/timeline.css">
<body><main>
`
	behind = "\n</main></body></html>\n"
)

func view(r timeline.Run, q timeline.Query) timeline.View {
	return timeline.View{ID: "timeline", Run: r, Query: q, Sprite: "../../../static/sprite.svg"}
}

func render(t testing.TB, v timeline.View) string {
	t.Helper()
	var b bytes.Buffer
	if err := timeline.Timeline(v).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTimelinesAreWrittenAsTheyWere(t *testing.T) {
	byTokens := timeline.Query{Scale: timeline.ByTokens}
	zoomed := timeline.Query{Window: timeline.Window{From: 4500, To: 6500}}
	for name, v := range map[string]timeline.View{
		"release":        view(release(), timeline.Query{}),
		"flaky":          view(flaky(), timeline.Query{}),
		"flaky-tokens":   view(flaky(), byTokens),
		"flaky-zoomed":   view(flaky(), zoomed),
		"nightly":        view(nightly("succeeded"), timeline.Query{}),
		"nightly-failed": view(nightly("failed"), timeline.Query{}),
		"nightly-tokens": view(nightly("failed"), byTokens),
		"overnight":      view(overnight(), timeline.Query{}),
		"live":           view(live(), timeline.Query{}),
		"hostile":        view(hostile(), timeline.Query{}),
		"nothing":        view(timeline.Run{}, timeline.Query{}),
	} {
		t.Run(name, func(t *testing.T) {
			got := before + strings.NewReplacer("<li", "\n<li", "<a", "\n<a", "<rect", "\n<rect").Replace(render(t, v)) + behind
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("run with -update when this is meant (-file +now):\n%s", diff)
			}
		})
	}
}
