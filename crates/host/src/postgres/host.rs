//! The functions of the interface. The plain ones hold the whole instance while they wait, the asynchronous ones do not.

use std::pin::Pin;
use std::task::{self, Poll};

use tokio::sync::mpsc;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Access, Accessor, Destination, FutureReader, HasSelf, Resource, StreamProducer, StreamReader, StreamResult,
};

use super::pool::Client;
use super::statement;
use super::tls::Authority;
use super::{Connection, ConnectionBuilder, Error, address};
use crate::bindings::postgres::{
    Column, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore, HostConnectionWithStore,
    ParameterValue, Row, RowSet,
};
use crate::state::State;

type Rows = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

impl Host for State {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl State {
    async fn open(&mut self, address: &str, authority: Option<Authority>) -> Result<Resource<Connection>, Error> {
        address::check(address, &self.component.allowed_hosts)?;
        let connection = self.component.pools.connect(address, authority).await?;
        self.keep(connection)
    }

    fn keep(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        self.table.push(connection).map_err(|_| Error::ConnectionFailed("too many connections".to_owned()))
    }

    fn client(&self, connection: &Resource<Connection>) -> Result<Client, Error> {
        match self.table.get(connection) {
            Ok(connection) => Ok(connection.client.clone()),
            Err(_) => Err(Error::ConnectionFailed("no connection found".to_owned())),
        }
    }

    fn built(&self, builder: &Resource<ConnectionBuilder>) -> Result<(String, Option<Authority>), Error> {
        match self.table.get(builder) {
            Ok(builder) => Ok((builder.address.clone(), builder.authority.clone())),
            Err(_) => Err(Error::ConnectionFailed("no builder found".to_owned())),
        }
    }
}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        Self::open(self, &address, None).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        statement::execute(&self.client(&connection)?, &sql, &parameters).await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        statement::query(&self.client(&connection)?, &sql, &parameters).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl HostConnectionBuilder for State {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder { address, authority: None })?)
    }

    async fn set_ca_root(&mut self, builder: Resource<ConnectionBuilder>, pem: String) -> Result<(), Error> {
        let authority =
            Authority::from_pem(&pem).map_err(|e| Error::Other(format!("invalid root certificate: {e}")))?;
        match self.table.get_mut(&builder) {
            Ok(builder) => builder.authority = Some(authority),
            Err(_) => return Err(Error::ConnectionFailed("no builder found".to_owned())),
        }
        Ok(())
    }

    // Spin 4.1.0-pre0 forgets `allowed_outbound_hosts` here, and here only.
    async fn build(&mut self, builder: Resource<ConnectionBuilder>) -> Result<Resource<Connection>, Error> {
        let (address, authority) = self.built(&builder)?;
        Self::open(self, &address, authority).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

async fn open<T>(
    accessor: &Accessor<T, HasSelf<State>>,
    address: &str,
    authority: Option<Authority>,
) -> Result<Resource<Connection>, Error> {
    let component = accessor.with(|mut access| access.get().component.clone());
    address::check(address, &component.allowed_hosts)?;
    let connection = component.pools.connect(address, authority).await?;
    accessor.with(|mut access| access.get().keep(connection))
}

impl<T: Send> HostConnectionBuilderWithStore<T> for HasSelf<State> {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let (address, authority) = accessor.with(|mut access| access.get().built(&builder))?;
        open(accessor, &address, authority).await
    }
}

impl<T: Send> HostConnectionWithStore<T> for HasSelf<State> {
    async fn open_async(accessor: &Accessor<T, Self>, address: String) -> Result<Resource<Connection>, Error> {
        open(accessor, &address, None).await
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        statement::execute(&client, &sql, &parameters).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Rows, Error> {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        let running = statement::query_async(&client, &sql, &parameters).await?;
        accessor.with(|access| hand_over(access, running)).map_err(|e| Error::Other(e.to_string()))
    }
}

fn hand_over<T: Send>(
    mut access: Access<'_, T, HasSelf<State>>,
    running: statement::Running,
) -> wasmtime::Result<Rows> {
    let rows = StreamReader::new(&mut access, OneByOne(running.rows))?;
    let ended = FutureReader::new(&mut access, running.ended)?;
    Ok((running.columns, rows, ended))
}

/// Gives the guest one row for each read, as Spin does.
struct OneByOne(mpsc::Receiver<Row>);

impl<D> StreamProducer<D> for OneByOne {
    type Item = Row;
    type Buffer = Option<Row>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, Option<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.get_mut().0.poll_recv(context) {
            Poll::Ready(Some(row)) => {
                destination.set_buffer(Some(row));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
