// ReadConfigPath reads a file or the files of a directory as Consul does:
// a directory's .json and .hcl files in the order of their names, nothing
// else and no sub-directories.
//
// Threads: any; blocks on file I/O.
// Errors:  go to Problems, each naming the path; what could be read is
//          applied all the same, so that later errors are found too.
// Limits:  kConfigFileBytesMax per file.
#ifndef DNSD_DNSD_CONFIG_FILES_H_
#define DNSD_DNSD_CONFIG_FILES_H_

#include <functional>
#include <string>

#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// `format` is "hcl", "json", or empty to go by the extension.
void ReadConfigPath(const std::string& path, const std::string& format,
                    Settings* settings, Problems* problems);

// The same files, but their documents go to `sink`, one after another, with
// the file's path.
using ConfigDocumentSink =
    std::function<void(const Value& document, const std::string& file)>;
void ReadConfigDocuments(const std::string& path, const std::string& format,
                         const ConfigDocumentSink& sink, Problems* problems);

// Reads text that is at hand; `name` stands for the file in messages.
void ReadConfigText(const std::string& text, const std::string& name,
                    bool is_hcl, Settings* settings, Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_FILES_H_
