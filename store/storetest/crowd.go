package storetest

import "testing"

// crowdSQL inserts n runs, perSecond of them in each second, whose ids are not in
// the order of their insertion. Every tenth is a child, every eleventh failed.
const crowdSQL = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at, parent_run_id)
SELECT printf('run-%08x', (i * 7919) % 100000007), CASE WHEN i % 5000 = 0 THEN 'rare' ELSE 'common-' || (i % 7) END,
	CASE WHEN i % 11 = 0 THEN 'failed' ELSE 'completed' END, 'input ' || i, 1700000000 + i / ?, 1700000010 + i / ?,
	CASE WHEN i % 10 = 9 THEN printf('run-%08x', ((i - 1) * 7919) % 100000007) END
FROM n`

// Crowd makes a database with n runs, perSecond of them in each second.
func Crowd(t testing.TB, n, perSecond int) *Builder {
	t.Helper()
	b := New(t)
	b.Exec(crowdSQL, n, perSecond, perSecond)
	return b
}
