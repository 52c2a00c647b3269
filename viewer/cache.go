package viewer

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wwflow/wwflow/internal/atomicfile"
)

// cache keeps estimated fields in a folder, packed. When its files take more than limit bytes, those that were not used
// for the longest time are deleted. A file appears under its name when it is complete, and carries a checksum: one that
// was damaged later is estimated again.
type cache struct {
	dir   string
	limit int64

	mu   sync.Mutex
	size int64 // bytes in dir, or more; -1 = not known yet
}

func newCache(dir string, limit int64) *cache { return &cache{dir: dir, limit: limit, size: -1} }

func (c *cache) path(key string, number int) string {
	return filepath.Join(c.dir, key, strconv.Itoa(number)+".wwflow")
}

// get returns a field, nil if it is not in the cache or damaged.
func (c *cache) get(key string, number int) *packet {
	path := c.path(key, number)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	p, err := decodePacket(data)
	if err != nil {
		return nil
	}
	_ = os.Chtimes(path, time.Time{}, time.Now()) // the time of modification is that of the last use
	return p
}

// put adds a field.
func (c *cache) put(key string, number int, p *packet) error {
	data, err := p.encode(true)
	if err != nil {
		return err
	}
	path := c.path(key, number)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	err = atomicfile.WriteTo(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size >= 0 {
		c.size += int64(len(data))
	}
	if c.size < 0 || c.size > c.limit {
		c.trim(path)
	}
	return nil
}

// numbers returns the numbers of the fields under a key.
func (c *cache) numbers(key string) (list []int) {
	entries, _ := os.ReadDir(filepath.Join(c.dir, key))
	for _, e := range entries {
		name := e.Name()
		if n, err := strconv.Atoi(name[:len(name)-len(filepath.Ext(name))]); err == nil {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

// trim measures the folder and deletes files until it is a tenth below the limit. keep stays: its field was just estimated.
func (c *cache) trim(keep string) {
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	c.size = 0
	_ = filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".wwflow" {
			return nil // another process may have deleted it
		}
		if info, err := e.Info(); err == nil {
			files = append(files, file{path, info.Size(), info.ModTime()})
			c.size += info.Size()
		}
		return nil
	})
	if c.size <= c.limit {
		return
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if c.size <= c.limit-c.limit/10 {
			break
		}
		if f.path != keep && os.Remove(f.path) == nil {
			c.size -= f.size
			_ = os.Remove(filepath.Dir(f.path)) // succeeds if it is empty
		}
	}
}
