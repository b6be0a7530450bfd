# Makes ui_assets.cc, licenses.txt and copyright in UI_MADE: cmake -P, with the
# variables that assets.cmake gives. The same files make the same bytes.
cmake_minimum_required(VERSION 3.25)
set(staged ${UI_MADE}/files)
file(REMOVE_RECURSE ${staged})
file(MAKE_DIRECTORY ${staged})

# --- what is served, as plain files ---

# A path in UI_MODULES -> the name it is served by.
set(library_files
  "preact/dist/preact.module.js=preact.js"
  "preact/hooks/dist/hooks.module.js=preact_hooks.js"
  "htm/dist/htm.module.js=htm.js"
  "uplot/dist/uPlot.iife.min.js=uplot.js"
  "uplot/dist/uPlot.min.css=uplot.css")
foreach(pair ${library_files})
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 from)
  list(GET pair 1 name)
  file(READ ${UI_MODULES}/${from} text)
  # A browser knows no package names, and nobody has the maps.
  string(REPLACE "from\"preact\"" "from\"./preact.js\"" text "${text}")
  string(REGEX REPLACE "//# sourceMappingURL=[^\n]*\n?" "" text "${text}")
  if(text MATCHES "from *[\"'][^.]")
    message(FATAL_ERROR "${from} imports a package by its name: \
say in embed.cmake which file that is")
  endif()
  file(WRITE ${staged}/${name} "${text}")
endforeach()

file(GLOB own ${UI_FOLDER}/*.css ${UI_FOLDER}/*.js ${UI_FOLDER}/*.svg)
foreach(file ${own})
  file(COPY ${file} DESTINATION ${staged})
endforeach()

# --- licences ---

set(licenses "")
file(READ ${COPYRIGHT} copyright)
foreach(library preact htm uplot)
  file(READ ${UI_MODULES}/${library}/package.json package)
  string(JSON version GET "${package}" version)
  string(JSON license GET "${package}" license)
  file(READ ${UI_MODULES}/${library}/LICENSE text)
  string(APPEND licenses "${library} ${version} (${license})\n\n${text}\n\n")
  if(license STREQUAL "MIT")
    string(REGEX MATCH "Copyright \\(c\\) ([^\n]*)" holder "${text}")
    set(holder "${CMAKE_MATCH_1}")
    # The title and the holder are fields of their own.
    string(REGEX REPLACE ".*Copyright \\(c\\) [^\n]*\n+" "" text "${text}")
    string(STRIP "${text}" text)
    string(REGEX REPLACE "\n\n" "\n.\n" text "${text}")
    string(REPLACE "\n" "\n " text " ${text}")
    # Two holders have two texts of the same name otherwise.
    set(license "MIT-${library}")
  elseif(license STREQUAL "Apache-2.0")
    string(REGEX MATCH "\n *Copyright ([0-9][^\n]*)" holder "${text}")
    set(holder "${CMAKE_MATCH_1}")
    set(text "")
  endif()
  if(NOT holder OR NOT license MATCHES "^(MIT-|Apache-2.0$)")
    message(FATAL_ERROR "${library} ${version}: a license '${license}' that \
embed.cmake does not know how to put into debian/copyright")
  endif()
  string(APPEND copyright "\nFiles: */ui/node_modules/${library}/*\n"
    "Copyright: ${holder}\nLicense: ${license}\n")
  if(text)
    string(APPEND copyright "${text}\n")
  endif()
endforeach()
file(WRITE ${UI_MADE}/licenses.txt "${licenses}")
file(WRITE ${UI_MADE}/copyright "${copyright}")

# --- the source ---

# file(GLOB) sorts.
file(GLOB names RELATIVE ${staged} ${staged}/*)
set(all "")
foreach(name ${names})
  file(SHA256 ${staged}/${name} hash)
  string(APPEND all "${name} ${hash}\n")
endforeach()
file(READ ${UI_FOLDER}/index.html page)
string(SHA256 build "${all}${page}")
string(SUBSTRING ${build} 0 12 build)
string(REPLACE "@BUILD@" ${build} page "${page}")
file(WRITE ${UI_MADE}/index.html "${page}")

set(arrays "")
set(rows "")
set(count 0)

# bytes(FILE NAME): a constant array of what is in it.
function(bytes file name)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," chars "${hex}")
  # Ten to a line; each is seven characters, '\x00', and a comma.
  string(REPEAT "." 70 line)
  string(REGEX REPLACE "(${line})" "\\1\n" chars "${chars}")
  set(arrays "${arrays}constexpr char ${name}[] = {\n${chars}\n};\n"
    PARENT_SCOPE)
endfunction()

set(type.html text/html)
set(type.txt text/plain)
set(type.css text/css)
set(type.js text/javascript)
set(type.svg image/svg+xml)

# asset(FILE PATH IMMUTABLE)
function(asset file path is_immutable)
  get_filename_component(extension ${file} LAST_EXT)
  set(content_type "${type${extension}}; charset=utf-8")
  # Without name and time: the same bytes each time.
  execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${UI_MADE}/packed.gz
    COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 20 hash)
  bytes(${file} kPlain${count})
  bytes(${UI_MADE}/packed.gz kGzip${count})
  set(rows "${rows}    {\"${path}\", \"${content_type}\", \"${hash}\",
     {kPlain${count}, sizeof(kPlain${count})},
     {kGzip${count}, sizeof(kGzip${count})}, ${is_immutable}},\n")
  math(EXPR count "${count} + 1")
  foreach(variable arrays rows count)
    set(${variable} "${${variable}}" PARENT_SCOPE)
  endforeach()
endfunction()

asset(${UI_MADE}/index.html /ui/ false)
asset(${UI_MADE}/licenses.txt /ui/licenses.txt false)
foreach(name ${names})
  asset(${staged}/${name} /ui/${build}/${name} true)
endforeach()
file(WRITE ${UI_MADE}/ui_assets.cc.new "// Made by dnsd/ui/embed.cmake.
#include \"dnsd/http/ui_assets.h\"

namespace dnsd {
namespace {

${arrays}
constexpr UiAsset kAssets[] = {
${rows}};

}  // namespace

std::span<const UiAsset> UiAssets() { return kAssets; }

}  // namespace dnsd
")
file(RENAME ${UI_MADE}/ui_assets.cc.new ${UI_MADE}/ui_assets.cc)
