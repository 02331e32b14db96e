//! Running a statement: parsed and described, then bound and executed, anew each time.

use anyhow::Result;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;

use super::Error;
use super::column;
use super::parameter::{Parameter, parameter};
use super::pool::Client;
use crate::bindings::postgres::{Column, DbError, DbValue, ParameterValue, QueryError, RowSet};

/// What a plain query may return, and a row of an asynchronous one.
const MAX_BYTES: usize = 128 << 20;

/// A query on its way.
pub(super) struct Running {
    /// Known from the first row on; without one there are none.
    pub(super) columns: Vec<Column>,
    /// The rows as they come.
    pub(super) rows: mpsc::Receiver<Vec<DbValue>>,
    /// How it ended.
    pub(super) ended: oneshot::Receiver<Result<(), Error>>,
}

/// Runs a statement for its effect; tells the number of rows.
pub(super) async fn execute(client: &Client, sql: &str, parameters: &[ParameterValue]) -> Result<u64, Error> {
    // Spin names this error otherwise than `query` does.
    let parameters = convert(parameters).map_err(|e| Error::ValueConversionFailed(format!("{e:#}")))?;
    let parameters: Vec<&(dyn ToSql + Sync)> =
        parameters.iter().map(|parameter| parameter.as_ref() as &(dyn ToSql + Sync)).collect();
    client.execute(sql, &parameters).await.map_err(query_failed)
}

/// Runs a query and waits for all its rows.
pub(super) async fn query(client: &Client, sql: &str, parameters: &[ParameterValue]) -> Result<RowSet, Error> {
    let mut columns = Vec::new();
    let rows = rows(client, sql, parameters).await?;
    let all = async {
        futures::pin_mut!(rows);
        let mut all = Vec::new();
        let mut bytes = size_of::<RowSet>();
        while let Some((described, row)) = rows.try_next().await? {
            if let Some(described) = described {
                columns = described;
            }
            let row = row?;
            bytes += column::size(&row);
            if bytes > MAX_BYTES {
                anyhow::bail!("query result exceeds limit of {MAX_BYTES} bytes")
            }
            all.push(row);
        }
        anyhow::Ok(all)
    };
    // An error of the server that comes after the statement has begun is text here, as in Spin.
    let rows = all.await.map_err(text)?;
    Ok(RowSet { columns, rows })
}

/// Runs a query; returns with its first row, or its end.
pub(super) async fn query_async(client: &Client, sql: &str, parameters: &[ParameterValue]) -> Result<Running, Error> {
    let stream = rows(client, sql, parameters).await?;
    let (columns_to, columns) = oneshot::channel();
    let (rows_to, rows) = mpsc::channel(4);
    let (ended_to, ended) = oneshot::channel();
    tokio::spawn(async move {
        let result = forward(stream, columns_to, rows_to).await;
        // Fails if the guest has dropped the future.
        _ = ended_to.send(result);
    });
    Ok(Running { columns: columns.await.unwrap_or_default(), rows, ended })
}

async fn forward(
    stream: impl Stream<Item = Result<Described, Error>>,
    columns: oneshot::Sender<Vec<Column>>,
    rows: mpsc::Sender<Vec<DbValue>>,
) -> Result<(), Error> {
    futures::pin_mut!(stream);
    let mut columns = Some(columns);
    loop {
        let next = tokio::select! {
            biased;
            () = rows.closed() => return Ok(()),
            next = stream.try_next() => next?,
        };
        let Some((described, row)) = next else {
            return Ok(());
        };
        if let (Some(described), Some(columns)) = (described, columns.take()) {
            _ = columns.send(described);
        }
        let row = row?;
        if column::size(&row) > MAX_BYTES {
            let message = format!("query result exceeds limit of {MAX_BYTES} bytes");
            return Err(Error::QueryFailed(QueryError::Text(message)));
        }
        if let Err(error) = rows.send(row).await {
            return Err(Error::QueryFailed(QueryError::Text(format!("async error: {error}"))));
        }
    }
}

/// A row, and with the first one the columns.
type Described = (Option<Vec<Column>>, Result<Vec<DbValue>, Error>);

async fn rows(
    client: &Client,
    sql: &str,
    parameters: &[ParameterValue],
) -> Result<impl Stream<Item = Result<Described, Error>> + Send + use<>, Error> {
    let parameters = convert(parameters).map_err(|e| Error::BadParameter(format!("{e:#}")))?;
    let rows = client.query_raw(sql, parameters).await.map_err(query_failed)?;
    Ok(rows.enumerate().map(|(index, row)| {
        let row = row.map_err(query_failed)?;
        let columns = (index == 0).then(|| column::describe(&row));
        Ok((columns, column::values(&row).map_err(text)))
    }))
}

fn convert(parameters: &[ParameterValue]) -> Result<Vec<Parameter>> {
    parameters.iter().map(parameter).collect()
}

fn text(error: anyhow::Error) -> Error {
    Error::QueryFailed(QueryError::Text(format!("{error:?}")))
}

fn query_failed(error: tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    let Some(db) = error.as_db_error() else {
        return Error::QueryFailed(QueryError::Text(as_text));
    };
    let extras = [
        ("column", db.column().map(str::to_owned)),
        ("constraint", db.constraint().map(str::to_owned)),
        ("routine", db.routine().map(str::to_owned)),
        ("hint", db.hint().map(str::to_owned)),
        ("table", db.table().map(str::to_owned)),
        ("datatype", db.datatype().map(str::to_owned)),
        ("schema", db.schema().map(str::to_owned)),
        ("file", db.file().map(str::to_owned)),
        ("line", db.line().map(|line| line.to_string())),
        ("where_", db.where_().map(str::to_owned)),
    ];
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: db.severity().to_owned(),
        code: db.code().code().to_owned(),
        message: db.message().to_owned(),
        detail: db.detail().map(str::to_owned),
        extras: extras.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
    }))
}
