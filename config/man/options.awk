# Makes the list of options in intercom.toml(5) from config/intercom.toml, whose comments explain each:
#
#     [table] or #[[table]]      a table; with "#" before it there is none by default
#     # text                     about the table or the option right below
#     key = value or #key = …    an option with its default, or with an example
#
# A comment with an empty line below is about the file.

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/"/, "\\(dq", text)
    return text ~ /^['.]/ ? "\\\\&" text : text
}

function explain() {
    about = roff(about)
    # A sentence begins a line.
    gsub(/\. /, ".\n", about)
    if (about != "") print about
    about = ""
}

/^$/ { about = "" }

/^# / { about = about (about == "" ? "" : " ") substr($0, 3) }

/^#?\[/ {
    sub(/^#/, "")
    if (isOpen) print ".El"
    print ".Ss " $0
    explain()
    print ".Bl -tag -width Ds"
    isOpen = 1
}

/^#?[a-z-]+ = / {
    sub(/^#/, "")
    if (!isOpen) print ".Bl -tag -width Ds"
    isOpen = 1
    print ".It Ic " $1 " = Li \"" roff(substr($0, length($1) + 4)) "\""
    explain()
}

END { if (isOpen) print ".El" }
