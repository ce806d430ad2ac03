// Envoyer un battement de cœur toutes les 60 secondes
setInterval(async () => {
try {
await fetch('https://tianji.example.com/api/push/<your-push-token>', {
method: 'POST'
});
console.log('Battement de cœur envoyé avec succès');
} catch (error) {
console.error('Échec de l’envoi du battement de cœur :', error);
}
}, 60000);
