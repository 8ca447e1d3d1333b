package store

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the only driver of the read path
)

// database is one opened file. It is never reopened: when the file under the
// path becomes another one, the whole value is replaced.
type database struct {
	*sqlx.DB
	schema schema
	opt    Options // with its defaults filled in

	histories histories // of the runs read last
}

// readDSN names path for reading. modernc honours mode only behind "file:",
// and only pragmas in the DSN reach every pooled connection; busy_timeout
// comes first so that the others may wait.
func readDSN(path string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	q := url.Values{"mode": {"ro"}}
	dsn := "file:" + escaped + "?" + q.Encode()
	for _, pragma := range []string{"busy_timeout(5000)", "query_only(1)", "cache_size(-16000)", "mmap_size(268435456)"} {
		dsn += "&_pragma=" + pragma
	}
	return dsn
}

func openDatabase(ctx context.Context, path string, opt Options) (*database, error) {
	db, err := sqlx.ConnectContext(ctx, "sqlite", readDSN(path))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	sch, err := readSchema(ctx, db)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("read schema of %s: %w", path, err)
	}
	return &database{DB: db, schema: sch, opt: opt.withDefaults()}, nil
}
