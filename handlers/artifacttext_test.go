package handlers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestArtifactsOfOtherCharsets: text is read as what it is, and without its
// secrets, also where it has a stray byte or is in characters of two bytes.
func TestArtifactsOfOtherCharsets(t *testing.T) {
	token := "gh" + "p_" + strings.Repeat("aB3x", 9)
	var wide []byte
	for _, u := range utf16.Encode([]rune("\ufefftoken " + token + "\r\n")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	program := "\x7fELF\x02\x01\x01\x00\x00\x00\x00" + token + "\x00\x01\x02\x03\x04\x05\x06\x07"
	inside := "\x7fELF\x02\x01\x01\x03\x04\x05\x06\x07\x0e\x0f" + strings.Join(strings.Split(token, ""), "\x00") + "\x00\x01\x02"
	files := map[string][]byte{
		"mac.csv": []byte("name,qty\rapple,1\rpear,2\rplum,3\r"), "utf16.txt": []byte("\xff\xfeh\x00i\x00"), "latin1.md": []byte("# caf\xe9\n\ntext\n"),
		"zero.txt": []byte("a\x00b\npassword=hunter2hunter2\n"), "wide.txt": wide, "program.bin": []byte(program), "inside.bin": []byte(inside),
	}
	paths := map[string]string{}
	for name := range files {
		paths[name] = name
	}
	s := outputs(t, paths, files)
	for name, want := range map[string]struct{ mime, content string }{
		"mac.csv":   {"text/plain; charset=utf-8", "name,qty\napple,1\npear,2\nplum,3\n"},
		"utf16.txt": {"text/plain; charset=utf-16le", "hi"},
		"latin1.md": {"text/plain; charset=iso-8859-1", "# café\n\ntext\n"},
		"zero.txt":  {"text/plain; charset=utf-8", "a\x00b\npassword=[redacted: password]\n"},
		"wide.txt":  {"text/plain; charset=utf-16le", "token [redacted: GitHub token]\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var got struct {
				MIME    string `json:"mime_type"`
				Content string `json:"content"`
			}
			if err := json.Unmarshal([]byte(s.as(t).get(artifactPath(name)).body), &got); err != nil || got.MIME != want.mime || got.Content != want.content {
				t.Errorf("%v: %+v", err, got)
			}
		})
	}
	for _, name := range []string{"program.bin", "inside.bin"} {
		t.Run("the dump of "+name, func(t *testing.T) {
			page := s.as(t).get("/runs/r/artifacts/s/" + name).body
			if !strings.Contains(page, "m-hex") || strings.Contains(page, token[:8]) || strings.Contains(page, "61 42 33 78") || strings.Contains(page, "61 00 42 00 33 00") || !strings.Contains(page, "1 secret taken out") {
				t.Error(page[max(0, strings.Index(page, "m-hex")-200):])
			}
		})
	}
	if page := s.get("/runs/r/artifacts/s/mac.csv").body; !strings.Contains(page, ">pear</span>") || strings.Contains(page, "plum,31y") {
		t.Error("the page shows other lines than the file has")
	}
	if page := s.get("/runs/r/artifacts/s/latin1.md").body; !strings.Contains(page, "<h2 id=\"body-caf") && !strings.Contains(page, "café") {
		t.Error("the page shows no é")
	}
}
