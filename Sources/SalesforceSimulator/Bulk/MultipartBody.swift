import Foundation

/// The parts of a `multipart/form-data` body by name (wire reference 4.2).
enum MultipartBody {
    /// Nil when the body does not fit its boundary.
    static func parts(_ body: Data, contentType: String) -> [String: Data]? {
        guard let boundary = parameter("boundary", of: contentType) else { return nil }
        let mark = Data("--\(boundary)".utf8)
        let blank = Data("\r\n\r\n".utf8)
        var parts: [String: Data] = [:]
        guard var position = body.range(of: mark)?.upperBound else { return nil }
        while let next = body.range(of: mark, in: position..<body.endIndex) {
            let part = body[position..<next.lowerBound]
            position = next.upperBound
            guard let head = part.range(of: blank) else { return nil }
            let lines = String(decoding: part[part.startIndex..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            guard let name = lines.first(where: { $0.lowercased().hasPrefix("content-disposition:") }).flatMap({ parameter("name", of: $0) }) else { return nil }
            // The line end before the boundary is the boundary's.
            let end = part.suffix(2) == Data("\r\n".utf8) ? part.endIndex - 2 : part.endIndex
            parts[name] = head.upperBound <= end ? Data(part[head.upperBound..<end]) : Data()
        }
        return parts
    }

    private static func parameter(_ name: String, of header: String) -> String? {
        for part in header.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if pair.count == 2, pair[0].lowercased() == name { return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\"")) }
        }
        return nil
    }
}
