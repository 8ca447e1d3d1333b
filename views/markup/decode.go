package markup

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Charsets that Decode tells.
const (
	UTF8    = "utf-8"
	UTF16LE = "utf-16le"
	UTF16BE = "utf-16be"
	Latin1  = "iso-8859-1"
	Windows = "windows-1252"
)

// Decode gives the beginning of a file as text in UTF-8 with \n at its line ends,
// and in which charset it was recorded. It is not ok when the bytes are no text.
//
// A charset of one byte cannot be told for sure: what is no UTF-8 is taken for
// Latin-1, or for Windows-1252 where it uses what Latin-1 leaves out.
func Decode(data []byte) (text []byte, charset string, ok bool) {
	if order := wideOrder(data); order != "" {
		return lineEnds(fromWide(data, order)), order, true
	}
	if binary(data) {
		return nil, "", false
	}
	if multibyte, bad := countRunes(data); bad == 0 || multibyte > 0 {
		return lineEnds(bytes.TrimPrefix(data, []byte("\ufeff"))), UTF8, true
	}
	charset, table := Latin1, charmap.ISO8859_1
	if hasC1(data) {
		charset, table = Windows, charmap.Windows1252
	}
	text, err := table.NewDecoder().Bytes(data)
	if err != nil { // it takes every byte
		return nil, "", false
	}
	return lineEnds(text), charset, true
}

func hasC1(data []byte) bool {
	for _, c := range data {
		if c >= 0x80 && c < 0xa0 {
			return true
		}
	}
	return false
}

// wideOrder reports whether data is UTF-16 and in which order, by its mark or by the zero
// bytes that every other byte of most texts is.
func wideOrder(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}): // UTF-32
		return ""
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return UTF16LE
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return UTF16BE
	}
	head := data[:min(len(data), 1024)&^1]
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	half := len(head) / 2
	switch {
	case half < 4:
	case zeros[0] == 0 && zeros[1]*10 >= half*7 && printable(head, 0):
		return UTF16LE
	case zeros[1] == 0 && zeros[0]*10 >= half*7 && printable(head, 1):
		return UTF16BE
	}
	return ""
}

// printable reports whether every other byte is one of a text.
func printable(data []byte, from int) bool {
	for i := from; i < len(data); i += 2 {
		if control(data[i]) {
			return false
		}
	}
	return true
}

func fromWide(data []byte, order string) []byte {
	low, high := 0, 1
	if order == UTF16BE {
		low, high = 1, 0
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i+low])|uint16(data[i+high])<<8)
	}
	text := make([]byte, 0, len(units)*2)
	for i, r := range utf16.Decode(units) {
		if i > 0 || r != '\ufeff' {
			text = utf8.AppendRune(text, r)
		}
	}
	return text
}

// lineEnds gives a text whose lines end with \r alone, as of old Macs, with \n.
func lineEnds(text []byte) []byte {
	if bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}

// control tells the bytes that no text holds, or hardly any.
func control(c byte) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\b' && c != 0x1b || c == 0x7f
}

// countRunes counts the characters of several bytes and the bytes that are no
// UTF-8. One that is cut off at the end is not counted.
func countRunes(data []byte) (multibyte, bad int) {
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size <= 1:
			if len(rest) >= utf8.UTFMax || utf8.FullRune(rest) {
				bad++
			}
		case size > 1:
			multibyte++
		}
		rest = rest[size:]
	}
	return multibyte, bad
}

// binary reports whether data holds more control characters than a stray one, besides
// characters of UTF-8 much that is none, or so much of it that no Latin script has it.
func binary(data []byte) bool {
	head := data[:min(len(data), 4096)]
	stray := 0
	for _, c := range head {
		if control(c) {
			stray++
		}
	}
	multibyte, bad := countRunes(head)
	return stray > max(1, len(head)/50) || multibyte > 0 && bad*20 > len(head) || multibyte == 0 && bad > max(3, len(head)*4/10)
}
