package markup

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func inUTF16(text string, big bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

func TestDecode(t *testing.T) {
	for name, tt := range map[string]struct {
		data, text, charset string
	}{
		"lines that end with CR alone":       {"name,qty\rapple,1\rpear,2\rplum,3\r", "name,qty\napple,1\npear,2\nplum,3\n", UTF8},
		"a progress bar keeps its CR":        {"10%\r20%\r\n", "10%\r20%\r\n", UTF8},
		"UTF-16 with a mark":                 {"\xff\xfeh\x00i\x00", "hi", UTF16LE},
		"UTF-16 of the other order":          {"\xfe\xff" + inUTF16("h€\U0001f600", true), "h€\U0001f600", UTF16BE},
		"UTF-16 without a mark":              {inUTF16("plain words", false), "plain words", UTF16LE},
		"UTF-16 without a mark, other order": {inUTF16("plain words", true), "plain words", UTF16BE},
		"UTF-16 that is cut off":             {"\xff\xfeh\x00i", "h", UTF16LE},
		"short Latin-1":                      {"# caf\xe9\n\ntext\n", "# café\n\ntext\n", Latin1},
		"Windows-1252":                       {"\x93caf\xe9\x94 5 \x80\n", "“café” 5 €\n", Windows},
		"UTF-8 with a mark":                  {"\xef\xbb\xbfcafé", "café", UTF8},
		"UTF-8 that is cut off":              {"café\xc3", "café\xc3", UTF8},
		"UTF-8 with a byte that is none":     {"cafés et thés, largement\xff", "cafés et thés, largement\xff", UTF8},
		"text with one zero byte":            {"password\x00", "password\x00", UTF8},
		"nothing":                            {"", "", UTF8},
		"an executable":                      {"\x7fELF\x02\x01\x01\x00\x00\x00", "", ""},
		"UTF-32":                             {"\xff\xfe\x00\x00h\x00\x00\x00", "", ""},
		"a short that is no text":            {"\x00\x01\x02\x03", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, charset, ok := Decode([]byte(tt.data))
			if string(text) != tt.text || charset != tt.charset || ok != (tt.charset != "") {
				t.Errorf("%q, %s, %v", text, charset, ok)
			}
		})
	}
}
