package handlers_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// Two runs that left their collected output in the same file, the second last.
const (
	overwritten = "t-iterpar-20261130-231343-3d0e"
	overwriter  = "t-aggr-20261130-231403-9751"
)

func TestContentOfAnotherRunIsNeverShownWithoutSayingSo(t *testing.T) {
	s := openHistory(t)
	const sentence = "Overwritten by " + overwriter
	page := "/runs/" + overwritten
	for name, path := range map[string]string{
		"the page": page, "its list of artifacts": page + "/artifacts", "the artifact": page + "/artifacts/each/collected-output",
		"text": page + ".txt", "Markdown": page + ".md", "the file for keeping": page + "/export",
		"JSON": "/api" + page, "the artifact as JSON": "/api" + page + "/artifacts/each/collected-output",
		"a comparison": "/compare?left=" + overwritten + "&right=" + overwriter, "a comparison as JSON": "/api/compare?left=" + overwritten + "&right=" + overwriter,
		"a comparison as text": "/compare.txt?left=" + overwritten + "&right=" + overwriter,
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).get(path)
			text := r.body
			if strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				text = strings.Join(strings.Fields(r.doc().Text()), " ")
			}
			if r.status != 200 || !strings.Contains(strings.ReplaceAll(text, `\_`, "_"), sentence) {
				t.Errorf("%d without %q:\n%s", r.status, sentence, clip(text))
			}
		})
	}
	raw := s.get("/api" + page + "/artifacts/each/collected-output?raw=1")
	if got := raw.header.Get("Wavedeck-Artifact-Replaced"); raw.status != 200 || got != sentence {
		t.Errorf("the download is %d with %q", raw.status, got)
	}
	if href := s.get(page+"/artifacts/each/collected-output").doc().Find(".notice a").AttrOr("href", ""); href != "/runs/"+overwriter {
		t.Errorf("the sentence leads to %q", href)
	}
	mine := "/runs/" + overwriter + "/artifacts/each/collected-output"
	if r := s.get(mine); r.doc().Find(".notice").Length() != 0 {
		t.Errorf("the run that wrote it last is doubted: %s", r.text(".notice"))
	}
	if raw := s.get("/api" + mine + "?raw=1"); raw.header.Get("Wavedeck-Artifact-Replaced") != "" {
		t.Error("the download of the run that wrote it last is doubted")
	}
	if r := s.get("/api" + mine).object(); r["replaced"] != nil {
		t.Errorf("as JSON it is doubted: %v", r["replaced"])
	}
}

func TestNoArtifactOfARealWaveIsDoubtedWithoutCause(t *testing.T) {
	s := openHistory(t)
	doubted := map[string]string{}
	for _, run := range s.get("/api/runs?limit=100&children=1").object()["runs"].([]any) {
		id := run.(object)["run_id"].(string)
		for _, a := range s.get("/api/runs/" + id).object()["artifacts"].([]any) {
			if r, ok := a.(object)["replaced"].(object); ok {
				doubted[id+" "+a.(object)["name"].(string)+" "+r["text"].(string)] = ""
			}
		}
	}
	want := map[string]bool{
		overwritten + " collected-output Overwritten by " + overwriter:                   true,
		"t-conretry-20261130-232311-a014 res Overwritten by a later attempt of this run": true,
	}
	for got := range doubted {
		if !want[got] {
			t.Errorf("doubted: %s", got)
		}
	}
	for one := range want {
		if _, ok := doubted[one]; !ok {
			t.Errorf("not doubted: %s", one)
		}
	}
}

const changedSince = "Changed since the run ended. The content below may not be what this run wrote."

func TestAFileThatWasChangedAfterItsRunSaysSo(t *testing.T) {
	s := openHistory(t)
	const run = "t-ok-20261130-232253-72da"
	file := filepath.Join(s.root, ".agents/workspaces", run, "prep/.agents/artifacts/prep/prep.json")
	if err := os.Chtimes(file, time.Time{}, storetest.HistoryNow); err != nil {
		t.Fatal(err)
	}
	if got := s.get("/runs/" + run + "/artifacts/prep/prep").text(".notice"); got != changedSince {
		t.Errorf("the page says %q", got)
	}
}

func TestALinkToAnOlderFileSaysThatItWasChanged(t *testing.T) {
	s := openHistory(t)
	const run = "t-ok-20261130-232253-72da"
	old := time.Unix(1_000_000_000, 0) // the link is made now, whenever that is
	b := storetest.At(t, storetest.StatePath(s.root))
	b.Exec(`UPDATE pipeline_run SET started_at = ?, completed_at = ? WHERE run_id = ?`, old.Unix()-5, old.Unix(), run)
	b.Exec(`UPDATE event_log SET timestamp = ? WHERE run_id = ?`, old.Unix(), run)
	b.Exec(`UPDATE artifact SET created_at = ? WHERE run_id = ?`, old.Unix()-1, run)
	file := filepath.Join(s.root, ".agents/workspaces", run, "prep/.agents/artifacts/prep/prep.json")
	info, err := os.Stat(file)
	if err == nil {
		err = os.Chtimes(file, time.Time{}, old.Add(-time.Second))
	}
	if err != nil {
		t.Fatal(err)
	}
	page := "/runs/" + run + "/artifacts/prep/prep"
	s.until("the run has its new end", func() bool {
		return s.get("/api/runs/" + run).object()["run"].(object)["completed_at"] == "2001-09-09T01:46:40Z"
	})
	if r := s.get("/api" + page); r.object()["replaced"] != nil {
		t.Errorf("before it is a link: %s", r.body)
	}
	other := filepath.Join(filepath.Dir(file), "other.json")
	if err := errors.Join(os.WriteFile(other, bytes.Repeat([]byte("Q"), int(info.Size())), 0o600), os.Chtimes(other, time.Time{}, old.Add(-time.Second)),
		os.Remove(file), os.Symlink("other.json", file)); err != nil {
		t.Fatal(err)
	}
	if got := s.get(page); got.doc().Find(".notice").Length() != 1 || got.text(".notice") != changedSince {
		t.Errorf("the page does not say that it was changed: %s", clip(got.body))
	}
}
