// The check of models that a fuzz target shares with these tests: there it stops the program.

import Testing

/// Records an issue unless a condition is true.
func holds(
    _ condition: Bool, _ message: @autoclosure () -> String = "", fileID: String = #fileID,
    filePath: String = #filePath,
    line: Int = #line, column: Int = #column
) {
    let place = SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    #expect(condition, "\(message())", sourceLocation: place)
}
