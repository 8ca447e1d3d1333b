package sqlite

import (
	"context"
	"testing"

	"wavedeck/store/storetest"
)

// BenchmarkDataVersion is what a look costs that finds nothing.
func BenchmarkDataVersion(b *testing.B) {
	builder := storetest.New(b)
	d := openPlain(b, builder.Path)
	conn, err := d.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	t := Tracker{conn: conn}
	for b.Loop() {
		if _, err := t.pragma(context.Background(), "PRAGMA data_version"); err != nil {
			b.Fatal(err)
		}
	}
}
