/// Every setting there is, in the order in which they are shown.
enum SettingTable {
    static let databaseURL = Setting(
        "DATABASE_URL", .text, secret: true,
        "Where the database is: a URI or keywords as libpq takes them; several hosts may be given. PostgreSQL itself, not a transaction pooler.")
    static let listen = Setting(
        "HC_LISTEN", .address, default: "127.0.0.1:8081", "Where /healthz, /readyz and /metrics answer.")
    static let apiToken = Setting(
        "HC_API_TOKEN", .text, secret: true, "Bearer token that callers of /metrics must show; none: nobody is asked.")
    static let secretKey = Setting(
        "HC_SECRET_KEY", .text, secret: true, "Key for credentials kept in the database. Not used yet.")
    static let stateDirectory = Setting(
        "HC_STATE_DIRECTORY", .text,
        "Folder outside the database for what proves that the database is no older state of itself; none: ~/.local/state/hc-relay.")
    static let logLevel = Setting(
        "HC_LOG_LEVEL", .choice(["trace", "debug", "info", "notice", "warning", "error"]), default: "info",
        "The least important log lines that are written.")
    static let loginURL = Setting(
        "SALESFORCE_LOGIN_URL", .text, default: "https://login.salesforce.com",
        "Login host. A My Domain for the client-credentials flow, https://test.salesforce.com for sandboxes.")
    static let clientID = Setting("SALESFORCE_CLIENT_ID", .text, "Consumer key of the connected app.")
    static let clientSecret = Setting(
        "SALESFORCE_CLIENT_SECRET", .text, secret: true, "Consumer secret; alone it means the client-credentials flow.")
    static let refreshToken = Setting(
        "SALESFORCE_REFRESH_TOKEN", .text, secret: true, "Refresh token of an earlier authorization; means the refresh-token flow.")
    static let username = Setting("SALESFORCE_USERNAME", .text, "User of the JWT bearer flow.")
    static let privateKey = Setting(
        "SALESFORCE_PRIVATE_KEY", .text, secret: true, "RSA private key in PEM; means the JWT bearer flow.")
    static let privateKeyFile = Setting("SALESFORCE_PRIVATE_KEY_FILE", .text, "File that holds that key.")
    static let audience = Setting(
        "SALESFORCE_AUDIENCE", .text, "Audience of the JWT; none: https://test.salesforce.com for sandboxes, else https://login.salesforce.com.")
    static let apiVersion = Setting(
        "SALESFORCE_API_VERSION", .text, default: "62.0", "API version of connections that pin none.")
    static let clientName = Setting(
        "SALESFORCE_CLIENT_NAME", .text, default: "hc-sync/1.0", "Marks our own writes in change events.")
    static let writeTimeout = Setting(
        "HC_WRITE_TIMEOUT", .seconds(1...3600), default: "620",
        "How long a writing call may take. Salesforce may work ten minutes on it; less leaves slow calls in doubt.")
    static let readTimeout = Setting("HC_READ_TIMEOUT", .seconds(1...3600), default: "180", "How long a reading call may take.")
    static let connectTimeout = Setting(
        "HC_CONNECT_TIMEOUT", .seconds(1...300), default: "30", "How long making a connection to Salesforce may take.")
    static let stallTimeout = Setting(
        "HC_STALL_TIMEOUT", .seconds(1...3600), default: "120", "The longest silence in a streamed bulk result.")
    static let bulkPageSize = Setting(
        "HC_BULK_PAGE_SIZE", .number(100...250_000), default: "50000", "Records in one page of a bulk result.")
    static let loadConcurrency = Setting(
        "HC_LOAD_CONCURRENCY", .number(1...2), default: "2", "Loads of one connection that run at the same time.")

    static let all: [Setting] = [
        databaseURL, listen, apiToken, secretKey, stateDirectory, logLevel, loginURL, clientID, clientSecret, refreshToken, username, privateKey,
        privateKeyFile, audience, apiVersion, clientName, writeTimeout, readTimeout, connectTimeout, stallTimeout, bulkPageSize,
        loadConcurrency,
    ]

    /// The flag that names a settings file; `HC_SETTINGS` in the environment does the same.
    static let fileFlag = "--settings"
    static let fileVariable = "HC_SETTINGS"
}
