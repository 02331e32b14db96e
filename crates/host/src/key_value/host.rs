//! The functions of the interface.

use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::{Error, Store};
use crate::bindings::key_value::{Host, HostStore, HostStoreWithStore};
use crate::state::State;

impl Host for State {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl HostStore for State {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

/// The store behind a handle.
fn opened<T: Send>(accessor: &Accessor<T, HasSelf<State>>, store: &Resource<Store>) -> Result<Store, Error> {
    accessor.with(|mut access| access.get().table.get(store).cloned()).map_err(|_| Error::NoSuchStore)
}

impl<T: Send> HostStoreWithStore<T> for HasSelf<State> {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Resource<Store>, Error> {
        let component = accessor.with(|mut access| access.get().component.clone());
        let store = component.stores.open(&label)?;
        accessor.with(|mut access| access.get().table.push(store)).map_err(|_| Error::StoreTableFull)
    }

    async fn get(accessor: &Accessor<T, Self>, store: Resource<Store>, key: String) -> Result<Option<Vec<u8>>, Error> {
        let store = opened(accessor, &store)?;
        store.database.get(&store.label, &key)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        let store = opened(accessor, &store)?;
        store.database.set(&store.label, &key, &value)
    }

    async fn delete(accessor: &Accessor<T, Self>, store: Resource<Store>, key: String) -> Result<(), Error> {
        let store = opened(accessor, &store)?;
        store.database.delete(&store.label, &key)
    }

    async fn exists(accessor: &Accessor<T, Self>, store: Resource<Store>, key: String) -> Result<bool, Error> {
        let store = opened(accessor, &store)?;
        Ok(store.database.get(&store.label, &key)?.is_some())
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (keys, ended) = match opened(accessor, &store).and_then(|store| store.database.keys(&store.label)) {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let ended = FutureReader::new(&mut access, async move { wasmtime::Result::<_>::Ok(ended) })?;
            Ok((keys, ended))
        })
    }
}
