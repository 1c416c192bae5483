import Foundation

extension Bulk1Handler {
    /// The members of a job document in either format; empty when it cannot be read.
    func jobFields() -> [String: String] { (try? document()) ?? [:] }

    /// - Throws: ``BulkFailure`` InvalidXml or InvalidJob for a document that is broken or out of order.
    private func document() throws -> [String: String] {
        var fields: [String: String] = [:]
        if sendsJSON {
            guard let body = try? JSONParser.parse(request.body), case .object(let members) = body else {
                throw BulkFailure("InvalidJob", "Unable to parse Job")
            }
            for member in members { fields[member.key] = member.value.string }
            return fields
        }
        guard let root = try? XMLTreeBuilder.parse(request.body), root.name == "jobInfo" else { throw BulkFailure("InvalidXml", "Unable to parse Job") }
        guard root.attributes.contains(where: { ($0.key == "xmlns" || $0.key.hasPrefix("xmlns:")) && $0.value == BulkDocument.namespace }) else {
            throw BulkFailure("InvalidXml", "Unable to parse Job: jobInfo is expected in the namespace \(BulkDocument.namespace)")
        }
        var last = -1
        for child in root.children {
            guard let place = BulkDocument.jobElements.firstIndex(of: child.name), place > last else {
                throw BulkFailure("InvalidXml", "Element {\(BulkDocument.namespace)}\(child.name) invalid at this location")
            }
            last = place
            fields[child.name] = child.text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return fields
    }

    func create(_ context: CallContext) throws -> Reply {
        let fields = try document()
        guard let text = fields["operation"] else { throw BulkFailure("InvalidJob", "operation is required") }
        guard let operation = BulkJob.Operation(rawValue: text), operation != .queryAll || (Double(version) ?? 0) >= 39 else {
            throw BulkFailure("InvalidJob", "Unable to parse Job: \(text) is no operation")
        }
        guard let name = fields["object"] else { throw BulkFailure("InvalidJob", "object is required") }
        let object = try BulkRules.object(name, context)
        let kind = (fields["contentType"] ?? "XML").uppercased()
        guard !kind.hasPrefix("ZIP_") else { throw BulkFailure("FeatureNotEnabled", "Binary content is not enabled: \(kind)") }
        guard let contentType = BulkJob.ContentType(rawValue: kind) else { throw BulkFailure("InvalidJob", "Unable to parse Job: \(kind) is no contentType") }
        var job = BulkJob(
            id: try BulkRules.newId(context), version: version, user: context.user, object: object.name, operation: operation,
            created: context.stamp, state: .open, isBulk2: false)
        job.client = request.client
        job.contentType = contentType
        job.externalIdField = try BulkRules.externalId(fields["externalIdFieldName"], operation, object)
        try BulkRules.checkHardDelete(operation, context)
        // Clients also send the enumeration's number.
        switch fields["concurrencyMode"] {
        case nil, "Parallel", "0": break
        case "Serial", "1": job.isSerial = true
        default: throw BulkFailure("InvalidJob", "concurrencyMode must be Parallel or Serial")
        }
        job.assignmentRule = fields["assignmentRuleId"]
        if request.headers["sforce-line-ending"]?.uppercased() == "CRLF" { job.lineEnding = "CRLF" }
        if operation.isQuery { readChunking(into: &job) }
        jobs.add(job, now: context.state.now)
        return info(job, status: 201)
    }

    /// `Sforce-Enable-PKChunking`: `true`, `false`, or `chunkSize=...; parent=...; startRow=...`.
    private func readChunking(into job: inout BulkJob) {
        let name = "sforce-enable-pkchunking"
        guard let header = request.headers[name], !header.lowercased().hasPrefix("false") else { return }
        let asked = request.option("chunkSize", of: name).flatMap { Int($0) } ?? PrimaryKeyChunks.standardSize
        job.chunkSize = min(max(1, asked), PrimaryKeyChunks.largestSize)
        job.chunkStart = request.option("startRow", of: name)
    }

    func change(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        var job = job
        switch try document()["state"] {
        case "Closed":
            guard job.state == .open || job.state == .closed else { throw notOpen(job) }
            job.state = .closed
        case "Aborted":
            guard job.state == .open || job.state == .closed else { throw notOpen(job) }
            job.state = .aborted
            // What a worker has begun it stops at the next chunk; what is saved stays saved.
            for index in job.batches.indices where job.batches[index].state == .queued || job.batches[index].state == .inProgress {
                job.batches[index].state = .notProcessed
                job.batches[index].changed = context.stamp
            }
        case "Failed": throw BulkFailure("InvalidJobState", "Job state can not be set to Failed")
        default: throw BulkFailure("InvalidJob", "state must be Closed or Aborted")
        }
        job.changed = context.stamp
        jobs[job.id] = job
        return info(job, status: 200)
    }

    func notOpen(_ job: BulkJob) -> BulkFailure { BulkFailure("InvalidJobState", "Job not in open state: \(job.id) is \(job.state.rawValue)") }

    /// A job call answers in the format of the request; one without a body, in that of the job.
    func info(_ job: BulkJob, status: Int) -> Reply {
        let json = request.contentType.isEmpty ? job.contentType == .json : sendsJSON
        return BulkDocument.reply(status, "jobInfo", BulkDocument.job(job), json: json)
    }
}

/// What the creation of a job checks in both Bulk APIs.
enum BulkRules {
    static func newId(_ context: CallContext) throws -> String {
        RecordIdentifier.make(keyPrefix: "750", number: try context.state.next("id:job", context.db))
    }

    static func object(_ name: String, _ context: CallContext) throws -> ObjectDefinition {
        guard let object = context.state.object(name, for: context.user) else { throw BulkFailure("InvalidEntity", "Unable to find object: \(name)") }
        guard object.bulkSupported else { throw BulkFailure("InvalidEntity", "Entity '\(object.name)' is not supported by the Bulk API.") }
        return object
    }

    /// The field that decides between insert and update; upsert needs one, nothing else may have one.
    static func externalId(_ name: String?, _ operation: BulkJob.Operation, _ object: ObjectDefinition) throws -> String? {
        guard operation == .upsert else { return nil }
        guard let name, !name.isEmpty else { throw BulkFailure("InvalidJob", "External ID was blank for \(object.name). An External ID must be specified for upsert.") }
        guard let field = object.field(name), field.idLookup else {
            throw BulkFailure("InvalidJob", "Field name provided, \(name) does not match an External ID, Salesforce Id, or indexed field for \(object.name)")
        }
        return field.name
    }

    static func checkHardDelete(_ operation: BulkJob.Operation, _ context: CallContext) throws {
        guard operation == .hardDelete else { return }
        let allowed = context.state.settings.bulk.hardDeleteUsers
        let ids = try allowed.map { try $0 == "*" ? "*" : Sessions.userId($0, context.db) ?? "" }
        guard ids.contains("*") || ids.contains(context.user) else {
            throw BulkFailure("FeatureNotEnabled", "hardDelete is not enabled for this user: the permission \"Bulk API Hard Delete\" is missing")
        }
    }
}
