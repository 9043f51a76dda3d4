const pictures=[...document.querySelectorAll('.mat')];
document.addEventListener('keydown',e=>{
 if(e.ctrlKey||e.altKey||e.metaKey)return;
 const at=pictures.indexOf(document.activeElement);
 const step={j:1,ArrowRight:1,k:-1,ArrowLeft:-1}[e.key];
 if(step){const to=pictures[at<0?0:at+step];if(to){to.focus();to.scrollIntoView({block:'nearest'});e.preventDefault()}}
 const image=at>=0&&pictures[at].firstElementChild;
 if(e.key==='b'&&image&&image.tagName==='IMG'){const other=image.dataset.before;
  image.dataset.before=image.getAttribute('src');image.src=other}
});
