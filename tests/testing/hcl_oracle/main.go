// hcl_oracle prints what hashicorp/hcl v1 makes of a document: HCL on standard
// input, JSON in one canonical form on standard output (sorted keys, no
// spaces, floats always with a point or an exponent, strings byte for byte, so
// that bytes of an HCL "\xff" come out as they are). It exits with 1 if the
// library refuses the document, which includes its panics on strings and
// numbers that its scanner let through.
//
// With -batch, standard input is many documents, each a decimal byte count on
// a line of its own followed by that many bytes, and standard output has one
// line for each: the JSON, or "error: " and the library's message.
//
// Only the test that compares ParseHcl() with the library compiles it; nothing
// of it is in the server.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl"
)

func writeString(out *strings.Builder, text string) {
	out.WriteByte('"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < 0x20:
			fmt.Fprintf(out, "\\u%04x", c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}

func writeFloat(out *strings.Builder, number float64) {
	text := fmt.Sprintf("%.17g", number)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	out.WriteString(text)
}

func writeMap(out *strings.Builder, object map[string]interface{}) {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	out.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, key)
		out.WriteByte(':')
		write(out, object[key])
	}
	out.WriteByte('}')
}

func write(out *strings.Builder, value interface{}) {
	switch v := value.(type) {
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case int:
		out.WriteString(strconv.Itoa(v))
	case float64:
		writeFloat(out, v)
	case string:
		writeString(out, v)
	case map[string]interface{}:
		writeMap(out, v)
	case []map[string]interface{}:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			writeMap(out, item)
		}
		out.WriteByte(']')
	case []interface{}:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, item)
		}
		out.WriteByte(']')
	default:
		panic(fmt.Sprintf("a value of type %T", value))
	}
}

// decode gives the canonical JSON of one document.
func decode(document []byte) (text string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	decoded := map[string]interface{}{}
	if err := hcl.Unmarshal(document, &decoded); err != nil {
		return "", err
	}
	var out strings.Builder
	writeMap(&out, decoded)
	return out.String(), nil
}

// batch answers every document of a batch until the input ends.
func batch(in *bufio.Reader, out *bufio.Writer) error {
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		size, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return err
		}
		document := make([]byte, size)
		if _, err := io.ReadFull(in, document); err != nil {
			return err
		}
		text, err := decode(document)
		if err != nil {
			text = "error: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Fprintln(out, text)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-batch" {
		out := bufio.NewWriter(os.Stdout)
		err := batch(bufio.NewReader(os.Stdin), out)
		out.Flush()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	document, err := io.ReadAll(os.Stdin)
	if err == nil {
		var text string
		if text, err = decode(document); err == nil {
			fmt.Println(text)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
